import json

from medseg.catalog import list_bundles


def test_json_names_each_bundle(medseg):
    done = medseg("bundles", "--json")
    found = {entry["name"]: entry for entry in json.loads(done.out)}
    assert (done.code, sorted(found)) == (0, sorted(b.name for b in list_bundles()))
    em = found["em_membrane_unet"]
    assert em["dimensions"] == 2
    assert isinstance(em["weights"], bool)
    for key in ("task", "version", "data_licence", "path"):
        assert em[key]


def test_table(medseg):
    done = medseg("bundles")
    assert done.code == 0
    for word in ("em_membrane_unet", "2D", "non-commercial", "none"):
        assert word in done.out
    rows = {line.split()[0]: line.split()[1:3] for line in done.out.splitlines() if line.strip()}
    assert rows["bundle"] == ["dim", "levels"]
    assert rows["nuclei_unetplusplus"] == ["2D", "1-4"]
