import pytest
import torch
from monai.data import DataLoader, Dataset, MetaTensor
from monai.data.utils import no_collation
from monai.engines import SupervisedTrainer

from medseg.errors import InputError
from medseg.inferers import AutocastInferer
from medseg.losses import SumOfLosses
from medseg.networks import MaskRCNN
from medseg.networks.mask_rcnn import EncoderFPN, PoolingSettings
from medseg.training import NanGuard, PrepareDetectionBatch
from medseg.transforms import DetectionTarget


def items(name="a.tif", value=1.0):
    labels = torch.zeros(1, 40, 48, dtype=torch.int32)
    labels[0, 5:15, 6:18] = 3
    image = MetaTensor(torch.rand(1, 40, 48) * value, meta={"filename_or_obj": name})
    empty = {"image": image.clone(), "label": DetectionTarget()(torch.zeros_like(labels))}
    return [{"image": image, "label": DetectionTarget()(labels)}, empty]


def trainer_of(data, **options):
    torch.manual_seed(0)
    backbone = EncoderFPN(2, 1, out_channels=8, coarsest_stride=16)
    network = MaskRCNN(2, 1, 2, backbone, anchor_sizes=(8, 16, 32, 64), pooling=PoolingSettings(hidden=8))
    loader = DataLoader(Dataset(data), batch_size=2, collate_fn=no_collation)
    return SupervisedTrainer(
        device=torch.device("cpu"),
        max_epochs=2,
        train_data_loader=loader,
        network=network,
        optimizer=torch.optim.SGD(network.parameters(), 0.01),
        loss_function=SumOfLosses(),
        prepare_batch=PrepareDetectionBatch(),
        decollate=False,
        **options,
    )


@pytest.mark.parametrize("half", [False, True])
def test_monais_trainer_trains_a_detector(half):
    trainer = trainer_of(items(), inferer=AutocastInferer(enabled=half))
    before = [p.clone() for p in trainer.network.parameters()]
    trainer.run()
    assert trainer.state.iteration == 2
    loss = trainer.state.output["loss"]
    assert loss.dtype == torch.float32
    assert torch.isclose(loss, sum(trainer.state.output["pred"].values()))
    assert any(not torch.equal(a, b) for a, b in zip(before, trainer.network.parameters(), strict=True))


def test_images_and_targets_reach_the_device_without_metadata():
    images, targets, args, kwargs = PrepareDetectionBatch()(items(), device="cpu")
    assert [type(image) for image in images] == [torch.Tensor] * 2
    assert args == (targets,)
    assert kwargs == {}
    assert len(targets[0]["boxes"]) == 1


def test_a_loss_that_is_not_finite_names_the_files():
    trainer = trainer_of(items("bad.tif"))
    trainer.loss_function = SumOfLosses({"loss_mask": float("inf")})
    NanGuard().attach(trainer)
    with pytest.raises(FloatingPointError, match=r"bad\.tif"):
        trainer.run()


def test_refuses():
    with pytest.raises(InputError, match="no_collation"):
        PrepareDetectionBatch()({"image": torch.zeros(2, 1, 4, 4)})
    with pytest.raises(InputError, match="DetectionTargetd"):
        PrepareDetectionBatch()([{"image": torch.zeros(1, 4, 4), "label": torch.zeros(1, 4, 4)}])
