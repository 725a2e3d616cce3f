"""The pixel size that a TIFF file states: in its OME-XML, or as ImageJ writes it."""

from __future__ import annotations

from xml.etree import ElementTree

import tifffile

from medseg.io.geometry import MICROMETRES, SPATIAL

_UNITS = {
    "um": "um",
    "µm": "um",
    "μm": "um",
    "\\u00b5m": "um",
    "micron": "um",
    "microns": "um",
    "micrometer": "um",
    "micrometre": "um",
    "nm": "nm",
    "nanometer": "nm",
    "mm": "mm",
    "millimeter": "mm",
    "cm": "cm",
    "m": "m",
}


def pixel_size(file: tifffile.TiffFile) -> tuple[dict[str, float], str | None]:
    """Spacing per axis letter and its unit from OME or ImageJ; plain resolution tags are print sizes."""
    if file.ome_metadata:
        return _ome_pixel_size(file.ome_metadata)
    if file.imagej_metadata:
        return _imagej_pixel_size(file)
    return {}, None


def _ome_pixel_size(xml: str) -> tuple[dict[str, float], str | None]:
    pixels = next((e for e in ElementTree.fromstring(xml).iter() if e.tag.endswith("}Pixels")), None)
    if pixels is None:
        return {}, None
    named, units = {}, {}
    for axis in SPATIAL:
        value = pixels.get(f"PhysicalSize{axis}")
        if value is not None and float(value) > 0:
            named[axis] = float(value)
            units[axis] = _UNITS.get(pixels.get(f"PhysicalSize{axis}Unit", "µm").lower())
    return _in_one_unit(named, units)


def _imagej_pixel_size(file: tifffile.TiffFile) -> tuple[dict[str, float], str | None]:
    metadata, tags = file.imagej_metadata, file.pages[0].tags
    named = {}
    for axis, tag in (("X", "XResolution"), ("Y", "YResolution")):
        if tag in tags and tags[tag].value[0] > 0:
            numerator, denominator = tags[tag].value
            named[axis] = denominator / numerator
    unsaid = 1.0 if "Z" in file.series[0].axes else 0.0  # ImageJ leaves out a distance of exactly 1
    depth = abs(float(metadata.get("spacing", unsaid)))
    if depth > 0:
        named["Z"] = depth
    stated = metadata.get("unit", "")  # yunit and zunit are there only where they differ from it
    units = {axis: _UNITS.get(str(metadata.get(f"{axis.lower()}unit", stated)).lower()) for axis in named}
    return _in_one_unit(named, units)


def _in_one_unit(named: dict[str, float], units: dict[str, str | None]) -> tuple[dict[str, float], str | None]:
    """The sizes in their common unit, in µm where they have several, or none where one is unknown."""
    if not named or None in units.values():
        return {}, None
    if len(set(units.values())) == 1:
        return named, next(iter(units.values()))
    return {axis: size * MICROMETRES[units[axis]] for axis, size in named.items()}, "um"
