"""Votes to vertebrae: interlocking ones come apart, crumbs and scattered votes are nothing."""

import numpy as np

from spinescrew.anatomy.levels import Level
from spinescrew.segmentation.instances import find_instances
from spinescrew.segmentation.scheme import COARSE_LEVELS, COARSE_MM, OFFSET_UNIT_MM


def told(blocks, shape=(24, 24, 60), noise=0.0):
    """(shares, offsets) of a network that sees these blocks: name -> slices, each voxel pointing to its middle."""
    shares = np.zeros((len(COARSE_LEVELS) + 1, *shape), np.float32)
    shares[0], offsets = 1.0, np.zeros((3, *shape), np.float32)
    random = np.random.default_rng(3)
    for name, parts in blocks:
        mask = np.zeros(shape, bool)
        for part in parts:
            mask[part] = True
        index = np.argwhere(mask)
        ways = (index.mean(axis=0) - index + noise * random.normal(size=index.shape)) * (COARSE_MM / OFFSET_UNIT_MM)
        offsets[:, mask] = ways.T
        shares[:, mask] = 0.0
        shares[COARSE_LEVELS.index(name) + 1][mask] = 1.0
    return shares, offsets


def slab(low, high, front=4, back=14):
    return (slice(6, 16), slice(front, back), slice(low, high))


UPPER = (Level.L2, [slab(30, 37), slab(24, 30, 4, 6)])
LOWER = (Level.L2, [slab(20, 27, 7, 14), slab(20, 23, 4, 7)])
SACRUM = (Level.S1, [slab(4, 16)])


def test_vertebrae_whose_processes_interlock_come_apart():
    """The spinous process of the upper one reaches down behind the lower one and touches it."""
    shares, offsets = told([UPPER, LOWER, SACRUM], noise=0.7)
    found = find_instances(shares, offsets)
    assert [each.sacral for each in found] == [False, False, True]
    masks = [each.mask for each in found]
    truth = [told([block])[0][0] < 0.5 for block in (UPPER, LOWER, SACRUM)]
    for true in truth:
        overlap = max(2 * (mask & true).sum() / (mask.sum() + true.sum()) for mask in masks)
        assert overlap > 0.97
    assert (masks[-1] & truth[-1]).sum() > 0.97 * truth[-1].sum(), "the sacrum comes last"


def test_the_sacrum_needs_no_votes():
    shares, offsets = told([SACRUM])
    assert len(find_instances(shares, np.random.default_rng(0).normal(size=offsets.shape).astype(np.float32))) == 1


def test_crumbs_and_scattered_votes_are_no_vertebrae():
    shares, offsets = told([(Level.L3, [(slice(2, 5), slice(2, 5), slice(2, 5))])])
    assert find_instances(shares, offsets) == []
    shares, offsets = told([UPPER], noise=12.0)
    assert sum(each.mask.sum() for each in find_instances(shares, offsets)) < 0.5 * (shares[0] < 0.5).sum()


def test_nothing_is_found_in_nothing():
    shares, offsets = told([])
    assert find_instances(shares, offsets) == []
