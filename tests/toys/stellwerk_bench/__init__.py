"""`make bench`: each aim of speed, and its peers, measured side by side in one run; docs/performance.md is made from what comes out."""
