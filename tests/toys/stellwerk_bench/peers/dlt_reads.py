"""Run by the interpreter that has dlt: its REST API source reads all contacts of a portal into DuckDB. Prints `{seconds, contacts}`.

As dlt's documentation says: `rest_api_source` with the paginator named, the largest page that the vendor gives, `write_disposition`
merge on the id, DuckDB as it comes.
"""

import json
import sys
import time

import dlt
from dlt.sources.rest_api import rest_api_source

url, token, folder, properties = sys.argv[1:5]
source = rest_api_source(
    {
        "client": {
            "base_url": f"{url}/crm/v3/objects/",
            "auth": {"type": "bearer", "token": token},
            "paginator": {"type": "cursor", "cursor_path": "paging.next.after", "cursor_param": "after"},
        },
        "resource_defaults": {"primary_key": "id", "write_disposition": "merge"},
        "resources": [
            {
                "name": "contacts",
                "endpoint": {
                    "path": "contacts",
                    "params": {"limit": 100, "properties": properties},
                    "data_selector": "results",
                },
            }
        ],
    }
)
pipeline = dlt.pipeline(
    "bench", destination=dlt.destinations.duckdb(f"{folder}/bench.duckdb"), dataset_name="crm", pipelines_dir=folder
)
began = time.perf_counter()
pipeline.extract(source)
extracted = time.perf_counter() - began
pipeline.normalize()
pipeline.load()
seconds = time.perf_counter() - began
with pipeline.sql_client() as client, client.execute_query("select count(*) from contacts") as rows:
    contacts = rows.fetchone()[0]
print(json.dumps({"seconds": seconds, "extracted": extracted, "contacts": contacts}))
