"""Run by the interpreter that has tap-hubspot: the tap for the stream `contacts`, its base address the twin's. Records go to stdout.

Its settings are those of its documentation. What is changed: the address, which is a constant of its module; custom objects
and associations are not asked for, since the twin plays contacts alone.
"""

import json
import sys

import tap_hubspot

url, token, folder = sys.argv[1:4]
tap_hubspot.BASE_URL = url
tap_hubspot.generate_custom_streams = lambda **_: []
request = tap_hubspot.request


def without_associations(address, params=None):
    if params:
        params.pop("associations", None)
    return request(address, params)


tap_hubspot.request = without_associations
tap_hubspot.CONFIG["api_key"] = token
stream = next(one for one in tap_hubspot.STREAMS if one.tap_stream_id == "contacts")
schema, metadata = tap_hubspot.load_discovered_schema(stream)
for one in metadata:
    if one["breadcrumb"] == ():
        one["metadata"]["selected"] = True
catalog = {"streams": [{"stream": "contacts", "tap_stream_id": "contacts", "schema": schema, "metadata": metadata}]}
with open(f"{folder}/config.json", "w") as file:
    json.dump({"api_key": token, "start_date": "2020-01-01T00:00:00Z"}, file)
with open(f"{folder}/catalog.json", "w") as file:
    json.dump(catalog, file)
sys.argv = ["tap-hubspot", "--config", f"{folder}/config.json", "--properties", f"{folder}/catalog.json"]
tap_hubspot.main()
