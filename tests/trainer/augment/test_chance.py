"""What is drawn for a clip belongs to (seed, epoch, name, id), and is spread as promised."""

import random
import re
from collections import Counter
from pathlib import Path

from dsprep.trainer.augment.chance import Chance


def test_a_number_is_the_same_for_ever() -> None:
    chance = Chance(seed=4567, epoch=0, id="LDC93S1")
    assert chance.between("speed", 0.9, 1.1) == 0.9309786168289551
    assert chance.below("noise", 930) == 360


def test_each_of_seed_epoch_name_and_id_decides() -> None:
    numbers = {
        Chance(seed=seed, epoch=epoch, id=name).share(kind)
        for seed in (1, 2)
        for epoch in (0, 1, 12)
        for name in ("a", "b", "1")
        for kind in ("speed", "gain")
    }
    assert len(numbers) == 36


def test_the_order_in_which_they_are_asked_for_decides_nothing() -> None:
    names = [f"{number}" for number in range(20)]
    first = {name: Chance(seed=1, epoch=2, id="x").share(name) for name in names}
    random.shuffle(names)
    chance = Chance(seed=1, epoch=2, id="x")
    assert all(chance.share(name) == first[name] for name in names)


def test_all_values_come_about_equally_often() -> None:
    chances = [Chance(seed=0, epoch=0, id=f"c{number}") for number in range(20_000)]
    for low, high in ((0.85, 1.15), (-6.0, 8.0)):
        found = [one.between("x", low, high) for one in chances]
        assert low <= min(found) < max(found) <= high
        tenths = Counter(int(10 * (one - low) / (high - low)) for one in found)
        assert all(abs(tenths[tenth] - 2000) < 5 * 2000**0.5 for tenth in range(10))
    found = [one.below("y", 7) for one in chances]
    assert all(abs(found.count(value) - 20_000 / 7) < 5 * (20_000 / 7) ** 0.5 for value in range(7))


def test_no_other_source_of_chance_is_used() -> None:
    import dsprep.trainer.augment as module

    assert module.__file__
    for path in Path(module.__file__).parent.glob("*.py"):
        text = path.read_text()
        assert not re.search(r"import random|np\.random|torch\.rand|from random", text), path
