"""The public data sets that `fetch` and `convert` know: what they are, under which terms, where they lie."""

from __future__ import annotations

from data_tools.layout import Description
from data_tools.public_set import Download, PublicSet
from medseg.errors import InputError


def public_set(name: str) -> PublicSet:
    """Return the set called `name`.

    Raises:
        InputError: unknown name.
    """
    if name not in SETS:
        raise InputError(f"{name!r} is no data set known here; known: {', '.join(SETS)}")
    return SETS[name]


_CTC = "https://data.celltrackingchallenge.net/training-datasets"
_BBBC = "https://data.broadinstitute.org/bbbc"
_GITHUB = "https://github.com"
_NUCLEI = {"0": "background", "1": "nucleus"}
_CELLS = {"0": "background", "1": "cell"}
_NEURITES = {"0": "membrane", "1": "cell interior"}

SETS: dict[str, PublicSet] = {
    "isbi2012_em": PublicSet(
        title="ISBI 2012 EM segmentation challenge: ssTEM of the Drosophila larva nerve cord",
        description=Description(
            name="isbi2012_em",
            modality="ssTEM",
            spacing=(50, 4, 4),
            unit="nm",
            classes=_NEURITES,
            licence="free for generating or testing non-commercial segmentation software",
            source="https://imagej.net/events/isbi-2012-segmentation-challenge",
        ),
        citation="Arganda-Carreras et al. 2015, Front. Neuroanat. 9:142; Cardona et al. 2010, PLoS Biol. 8:e1000502",
        downloads=(Download("https://downloads.imagej.net/ISBI-2012-challenge.zip"),),
    ),
    "vnc_sstem": PublicSet(
        title="Segmented anisotropic ssTEM of the Drosophila larva ventral nerve cord",
        description=Description(
            name="vnc_sstem",
            modality="ssTEM",
            spacing=(50, 4.6, 4.6),
            unit="nm",
            classes=_NEURITES,
            licence="CC-BY-NC-SA-3.0",
            source="https://github.com/unidesigner/groundtruth-drosophila-vnc",
        ),
        citation="Gerhard et al. 2013, figshare, doi:10.6084/m9.figshare.856713",
        by_hand=(
            "clone https://github.com/unidesigner/groundtruth-drosophila-vnc and save its stack1 sections as "
            "raw.tif and membranes.tif (multi-page TIFF)"
        ),
    ),
    "dsb2018": PublicSet(
        title="Data Science Bowl 2018 (BBBC038): nuclei in many kinds of microscopy",
        description=Description(
            name="dsb2018",
            modality="fluorescence, brightfield and stained tissue",
            classes=_NUCLEI,
            licence="CC0-1.0",
            source="https://bbbc.broadinstitute.org/BBBC038",
        ),
        citation="Caicedo et al. 2019, Nat. Methods 16:1247; BBBC038v1, Ljosa et al. 2012, Nat. Methods 9:637",
        downloads=(Download(f"{_BBBC}/BBBC038/stage1_train.zip"),),
    ),
    "bbbc039": PublicSet(
        title="BBBC039: U2OS nuclei, Hoechst, 20x",
        description=Description(
            name="bbbc039",
            modality="fluorescence",
            classes=_NUCLEI,
            licence="CC0-1.0",
            source="https://bbbc.broadinstitute.org/BBBC039",
        ),
        citation="Caicedo et al. 2019, Cytometry A 95:952; BBBC039v1, Ljosa et al. 2012, Nat. Methods 9:637",
        downloads=(Download(f"{_BBBC}/BBBC039/images.zip"), Download(f"{_BBBC}/BBBC039/masks.zip")),
    ),
    "usiigaci": PublicSet(
        title="Usiigaci: NIH/3T3 fibroblasts, phase contrast",
        description=Description(
            name="usiigaci",
            modality="phase contrast",
            classes=_CELLS,
            licence="MIT (the repository; no separate data licence)",
            source="https://github.com/oist/Usiigaci",
        ),
        citation="Tsai et al. 2019, SoftwareX 9:230",
        downloads=(Download(f"{_GITHUB}/oist/Usiigaci/archive/185047fec5d2f791d7d5650e27629e99ea7479ab.zip"),),
    ),
    "openkbp": PublicSet(
        title="OpenKBP: head-and-neck planning CT with seven organs",
        description=Description(
            name="openkbp",
            modality="CT",
            unit="mm",
            label_kind="classes",
            classes={
                "0": "background",
                "1": "Brainstem",
                "2": "SpinalCord",
                "3": "RightParotid",
                "4": "LeftParotid",
                "5": "Esophagus",
                "6": "Larynx",
                "7": "Mandible",
            },
            licence="MIT (the repository; patients from public TCIA collections)",
            source="https://github.com/ababier/open-kbp",
        ),
        citation="Babier et al. 2021, Med. Phys. 48:5549",
        downloads=(Download(f"{_GITHUB}/ababier/open-kbp/archive/ed9602e68411a45b7c8f039999f897895407d25f.zip"),),
    ),
    "msd_spleen": PublicSet(
        title="Medical Segmentation Decathlon, task 9: spleen in portal-venous CT",
        description=Description(
            name="msd_spleen",
            modality="CT",
            unit="mm",
            label_kind="classes",
            classes={"0": "background", "1": "spleen"},
            licence="CC-BY-SA-4.0",
            source="http://medicaldecathlon.com",
        ),
        citation="Antonelli et al. 2022, Nat. Commun. 13:4128; Simpson et al. 2019, arXiv:1902.09063",
        downloads=(
            Download(
                "https://msd-for-monai.s3-us-west-2.amazonaws.com/Task09_Spleen.tar",
                "md5:410d4a301da4e5b2f6f86ec3ddba524e",
            ),
        ),
    ),
    "cell_tracking": PublicSet(
        title="Cell Tracking Challenge, PhC-C2DH-U373: glioblastoma cells, phase contrast",
        description=Description(
            name="cell_tracking",
            modality="phase contrast",
            spacing=(0.65, 0.65),
            unit="um",
            classes=_CELLS,
            licence="free for research and for training software, see the challenge's terms",
            source="https://celltrackingchallenge.net/2d-datasets/",
        ),
        citation="Maska et al. 2023, Nat. Methods 20:1010; Ulman et al. 2017, Nat. Methods 14:1141",
        downloads=(Download(f"{_CTC}/PhC-C2DH-U373.zip"),),
    ),
    "chest_ct_kaggle": PublicSet(
        title="Finding and measuring lungs in CT data (Kaggle)",
        description=Description(
            name="chest_ct_kaggle",
            modality="CT",
            unit="mm",
            label_kind="classes",
            classes={"0": "background", "1": "lung"},
            licence="see the page of the data set; no licence is stated here",
            source="https://www.kaggle.com/datasets/kmader/finding-lungs-in-ct-data",
        ),
        citation="K. S. Mader, Kaggle",
        by_hand=(
            "Kaggle requires a login: sign in, open https://www.kaggle.com/datasets/kmader/finding-lungs-in-ct-data, "
            "press Download, unzip the archive, and convert the unzipped folder"
        ),
    ),
    "chest_ct_slices": PublicSet(
        title="Chest CT segmentation (Kaggle): lung, heart and trachea in JPEG slices",
        description=Description(
            name="chest_ct_slices",
            modality="CT",
            label_kind="classes",
            classes={"0": "background", "1": "lung", "2": "heart", "3": "trachea"},
            licence="see the page of the data set; its images come from the OSIC pulmonary fibrosis challenge",
            source="https://www.kaggle.com/datasets/polomarco/chest-ct-segmentation",
        ),
        citation="polomarco, Kaggle",
        by_hand=(
            "Kaggle requires a login: sign in, open https://www.kaggle.com/datasets/polomarco/chest-ct-segmentation, "
            "press Download, unzip the archive, and convert the unzipped folder"
        ),
    ),
    "fib_medulla": PublicSet(
        title="FIB-SEM crop of the Drosophila medulla, neuron bodies in 3D",
        description=Description(
            name="fib_medulla",
            modality="FIB-SEM",
            spacing=(10, 10, 10),
            unit="nm",
            classes={"0": "none", "1": "neuron"},
            licence="Janelia Farm BSD-style (the repository; no separate data licence)",
            source="https://github.com/janelia-flyem/gala",
        ),
        citation="Nunez-Iglesias et al. 2013, PLoS ONE 8:e71715",
        by_hand="export raw.tif and labels.tif from the folder example/ of https://github.com/janelia-flyem/gala",
    ),
    "ovules_3d": PublicSet(
        title="Arabidopsis ovules, confocal, nuclei and cells in 3D",
        description=Description(
            name="ovules_3d",
            modality="confocal",
            classes=_CELLS,
            licence="CC-BY-4.0 (the original data; the crops come from an MIT repository)",
            source="https://github.com/kreshuklab/plant-seg",
        ),
        citation="Wolny et al. 2020, eLife 9:e57613",
        by_hand=(
            "take NAME_raw.tif and NAME_labels.tif pairs exported from tests/resources of "
            "https://github.com/kreshuklab/plant-seg"
        ),
    ),
    "ct_examples": PublicSet(
        title="Two CT volumes with masks (TotalSegmentator and elastix examples)",
        description=Description(
            name="ct_examples",
            modality="CT",
            unit="mm",
            label_kind="classes",
            licence="Apache-2.0",
            source="https://github.com/wasserth/TotalSegmentator, https://github.com/SuperElastix/elastix",
        ),
        citation="Wasserthal et al. 2023, Radiol. Artif. Intell. 5:e230024; Klein et al. 2010, IEEE TMI 29:196",
        by_hand="put NAME_ct.nii.gz with NAME_labels.nii.gz or NAME_mask.nii.gz into one folder",
    ),
}
