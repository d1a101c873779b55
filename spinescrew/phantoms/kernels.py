"""The compiled functions of training phantoms: deformation, noise, parts, bones, voxels.

They stand in one file because compiled code is kept on the disk until its own file changes: a function that calls one
in another file would go on calling the old one.
"""

from __future__ import annotations

import numpy as np
from numba import njit

_NEAR_MM = 1.0
# The implicit functions grow at most this much faster than the distance, in a patient deformed as much as is drawn.
_STEEPEST = 1.45


@njit(cache=True, inline="always")
def _weights(t):  # type: ignore[no-untyped-def]
    s = 1.0 - t
    return s * s * s / 6.0, (3.0 * t * t * t - 6.0 * t * t + 4.0) / 6.0, (3.0 * s * s * s - 6.0 * s * s + 4.0) / 6.0


@njit(cache=True)
def _add_field(coefficients, origin, step, p, out):  # type: ignore[no-untyped-def]
    """Add one lattice's displacement at ``p`` to ``out``; beyond the lattice its rim goes on."""
    at = np.empty(3, np.int64)
    w = np.empty((3, 4))
    for axis in range(3):
        x = min(max((p[axis] - origin[axis]) / step, 0.0), coefficients.shape[axis] - 3.001)
        at[axis] = int(x)
        t = x - at[axis]
        w[axis, 0], w[axis, 1], w[axis, 2] = _weights(t)
        w[axis, 3] = 1.0 - w[axis, 0] - w[axis, 1] - w[axis, 2]
    for a in range(4):
        for b in range(4):
            ab = w[0, a] * w[1, b]
            for c in range(4):
                abc = ab * w[2, c]
                row = coefficients[at[0] + a, at[1] + b, at[2] + c]
                out[0] += abc * row[0]
                out[1] += abc * row[1]
                out[2] += abc * row[2]


@njit(cache=True)
def pull(wide, narrow, origins, steps, p, out):  # type: ignore[no-untyped-def]
    """Patient point ``p`` (3,) to the model, written to ``out`` (3,)."""
    out[0], out[1], out[2] = p[0], p[1], p[2]
    _add_field(wide, origins[0], steps[0], p, out)
    _add_field(narrow, origins[1], steps[1], p, out)


@njit(cache=True)
def pull_all(wide, narrow, origins, steps, points, out):  # type: ignore[no-untyped-def]
    for n in range(points.shape[0]):
        pull(wide, narrow, origins, steps, points[n], out[n])


@njit(cache=True, inline="always")
def _hash(i, j, k, seed):  # type: ignore[no-untyped-def]
    """A number in [-1, 1) that belongs to a lattice point."""
    h = (i * 374761393 + j * 668265263 + k * 2147483647 + seed * 1274126177) & 0xFFFFFFFF
    h = ((h ^ (h >> 13)) * 1274126177) & 0xFFFFFFFF
    h = ((h ^ (h >> 15)) * 2246822519) & 0xFFFFFFFF
    h ^= h >> 16
    return h / 2147483648.0 - 1.0


@njit(cache=True)
def noise_at(x, y, z, size, seed):  # type: ignore[no-untyped-def]
    """Smooth noise in [-1, 1] with structures of ``size`` mm, a function of place and ``seed`` alone."""
    x, y, z = x / size, y / size, z / size
    i, j, k = int(np.floor(x)), int(np.floor(y)), int(np.floor(z))
    u, v, w = x - i, y - j, z - k
    u, v, w = u * u * (3 - 2 * u), v * v * (3 - 2 * v), w * w * (3 - 2 * w)
    c00 = _hash(i, j, k, seed) * (1 - w) + _hash(i, j, k + 1, seed) * w
    c01 = _hash(i, j + 1, k, seed) * (1 - w) + _hash(i, j + 1, k + 1, seed) * w
    c10 = _hash(i + 1, j, k, seed) * (1 - w) + _hash(i + 1, j, k + 1, seed) * w
    c11 = _hash(i + 1, j + 1, k, seed) * (1 - w) + _hash(i + 1, j + 1, k + 1, seed) * w
    return (c00 * (1 - v) + c01 * v) * (1 - u) + (c10 * (1 - v) + c11 * v) * u


@njit(cache=True)
def _capsule_at(v, x, y, z):  # type: ignore[no-untyped-def]
    bx, by, bz = v[3] - v[0], v[4] - v[1], v[5] - v[2]
    px, py, pz = x - v[0], y - v[1], z - v[2]
    t = min(max((px * bx + py * by + pz * bz) / max(bx * bx + by * by + bz * bz, 1e-9), 0.0), 1.0)
    px, py, pz = px - t * bx, py - t * by, pz - t * bz
    along = (px * v[8] + py * v[9] + pz * v[10]) * (1.0 / v[11] - 1.0)
    px, py, pz = px + along * v[8], py + along * v[9], pz + along * v[10]
    return np.sqrt(px * px + py * py + pz * pz) - (v[6] + t * (v[7] - v[6]))


@njit(cache=True)
def _slab_at(v, x, y, z):  # type: ignore[no-untyped-def]
    px, py, pz = x - v[0], y - v[1], z - v[2]
    wx, wy, wz = v[4] * v[8] - v[5] * v[7], v[5] * v[6] - v[3] * v[8], v[3] * v[7] - v[4] * v[6]
    r = v[12]
    a = abs(px * v[3] + py * v[4] + pz * v[5]) - v[9] + r
    b = abs(px * v[6] + py * v[7] + pz * v[8]) - v[10] + r
    c = abs(px * wx + py * wy + pz * wz) - v[11] + r
    outer = max(a, 0.0) ** 2 + max(b, 0.0) ** 2 + max(c, 0.0) ** 2
    return np.sqrt(outer) + min(max(a, b, c), 0.0) - r


@njit(cache=True)
def _tube_at(v, x, y, z):  # type: ignore[no-untyped-def]
    px, py, pz = x - v[0], y - v[1], z - v[2]
    along = px * v[3] + py * v[4] + pz * v[5]
    across = px * v[6] + py * v[7] + pz * v[8]
    wx, wy, wz = v[4] * v[8] - v[5] * v[7], v[5] * v[6] - v[3] * v[8], v[3] * v[7] - v[4] * v[6]
    up = px * wx + py * wy + pz * wz
    wider = 1.0 + v[13] * (min(max(along, v[11]), 10.0) / 8.0) ** 2
    section = (np.sqrt((across / (v[9] * wider)) ** 2 + (up / (v[10] * wider)) ** 2) - 1.0) * min(v[9], v[10]) * wider
    return max(section, v[11] - along, along - v[12])


@njit(cache=True)
def _ellipsoid_at(v, x, y, z):  # type: ignore[no-untyped-def]
    x, y, z = (x - v[0]) / v[3], (y - v[1]) / v[4], (z - v[2]) / v[5]
    size = np.sqrt(x * x + y * y + z * z)
    slope = np.sqrt((x / v[3]) ** 2 + (y / v[4]) ** 2 + (z / v[5]) ** 2)
    if slope < 1e-9:
        return -min(v[3], v[4], v[5])
    return size * (size - 1.0) / slope


@njit(cache=True)
def body_plates(v, r, a):  # type: ignore[no-untyped-def]
    """Heights of the upper and the lower endplate of a body's values ``v`` above (r, a)."""
    half_w, half_d = 0.25 * (v[0] + v[1]), 0.5 * v[2]
    ring = min((r / half_w) ** 2 + (a / half_d) ** 2, 1.0)
    # Endplates are flat under the ring apophysis and hollow inside it, deepest behind the middle.
    dish = max(1.0 - (r / (0.82 * half_w)) ** 2 - ((a + 0.12 * half_d) / (0.82 * half_d)) ** 2, 0.0)
    dish = dish * (2.0 - dish)
    front = min(max(0.5 + 0.5 * a / half_d, 0.0), 1.0)
    upper = 0.5 * v[3] - v[6] * dish - v[8] * front * front - v[9] * (1.0 - ring)
    return upper, -0.5 * v[3] + v[7] * dish


@njit(cache=True)
def _body_at(v, r, a, s):  # type: ignore[no-untyped-def]
    upper, lower = body_plates(v, r, a)
    t = min(max((s - lower) / max(upper - lower, 1.0), 0.0), 1.0)
    level = 2.0 * t - 1.0
    scale = 1.0 - v[5] * (1.0 - level * level)
    half_w = 0.5 * (v[1] + t * (v[0] - v[1])) * scale
    half_d = 0.5 * v[2] * scale
    if v[10] > 0.0:
        angle = np.arctan2(a, r)
        shape = 0.6 + 0.4 * np.cos(2.0 * angle + v[11]) * np.cos(3.0 * angle + v[12])
        if a < -0.3 * v[2]:
            shape *= 0.3
        near = min(abs(s - upper), abs(s - lower)) if lower < s < upper else 0.0
        half_w += v[10] * shape * np.exp(-((near / 3.5) ** 2))
        half_d += v[10] * shape * np.exp(-((near / 3.5) ** 2))
    e = v[4]
    ring = ((abs(r) / half_w) ** e + (abs(a) / half_d) ** e) ** (1.0 / e)
    flat = np.sqrt(r * r + a * a)
    wall = (ring - 1.0) * (flat / ring if ring > 0.2 else min(half_w, half_d))
    dent = v[13] * max(1.0 - (r / (0.3 * v[0])) ** 2, 0.0)
    wall = max(wall, -(a + 0.5 * v[2] - dent))
    plates = max(s - upper, lower - s)
    # Rounded rim: where wall and plate meet their corner is cut off by a radius of 1.5 mm.
    w, q = wall + 1.5, plates + 1.5
    return np.sqrt(max(w, 0.0) ** 2 + max(q, 0.0) ** 2) + min(max(w, q), 0.0) - 1.5


@njit(cache=True)
def _channel_at(v, r, a):  # type: ignore[no-untyped-def]
    back = min(max((v[1] - a) / v[3], 0.0), 1.0)
    half_w = v[2] * (1.0 - v[4] * back)
    return (np.sqrt((r / half_w) ** 2 + ((a - v[1]) / v[3]) ** 2) - 1.0) * min(half_w, v[3])


@njit(cache=True)
def _part_at(row, x, y, z):  # type: ignore[no-untyped-def]
    kind, v = int(row[0]), row[7:]
    if kind == 0:
        return _capsule_at(v, x, y, z)
    if kind == 1:
        return _slab_at(v, x, y, z)
    if kind == 2:
        return _tube_at(v, x, y, z)
    if kind == 3:
        return _ellipsoid_at(v, x, y, z)
    if kind == 4:
        return _body_at(v, x, y, z)
    return _channel_at(v, x, y)


@njit(cache=True)
def distance_at(rows, x, y, z):  # type: ignore[no-untyped-def]
    """Distance to a list of parts at one point of their frame, and how much deeper the body is there than the arch."""
    d, of_body, of_arch = 1e3, 1e3, 1e3
    for n in range(rows.shape[0]):
        row = rows[n]
        fillet = abs(row[1])
        away = np.sqrt((x - row[3]) ** 2 + (y - row[4]) ** 2 + (z - row[5]) ** 2) - row[6]
        if row[1] < 0.0:
            if -away > d - fillet:
                cut = -_part_at(row, x, y, z)
                over = max(fillet - abs(d - cut), 0.0) / fillet
                d = max(d, cut) + over * over * fillet / 4
        elif away < d + fillet:
            own = _part_at(row, x, y, z)
            over = max(fillet - abs(d - own), 0.0) / fillet
            d = min(d, own) - over * over * fillet / 4
            if row[2] > 0.0:
                of_arch = min(of_arch, own)
            else:
                of_body = min(of_body, own)
    return d, of_arch - of_body


@njit(cache=True)
def bone_at(frame, rows, other_frame, other, room, rough, seed, q, local):  # type: ignore[no-untyped-def]
    """Distance at a point ``q`` of the model and how much deeper its body is than its arch; ``local`` is written."""
    x, y, z = q[0] - frame[0, 3], q[1] - frame[1, 3], q[2] - frame[2, 3]
    for axis in range(3):
        local[axis] = frame[axis, 0] * x + frame[axis, 1] * y + frame[axis, 2] * z
    d, deeper = distance_at(rows, local[0], local[1], local[2])
    if d < _NEAR_MM + rough[1]:
        d += rough[1] * (0.7 * noise_at(q[0], q[1], q[2], rough[0], seed) + 0.3 * noise_at(q[1], q[2], q[0], 1.9, seed))
    if d < room + _NEAR_MM and other.shape[0] > 0:
        x, y, z = q[0] - other_frame[0, 3], q[1] - other_frame[1, 3], q[2] - other_frame[2, 3]
        u = other_frame[0, 0] * x + other_frame[0, 1] * y + other_frame[0, 2] * z
        v = other_frame[1, 0] * x + other_frame[1, 1] * y + other_frame[1, 2] * z
        w = other_frame[2, 0] * x + other_frame[2, 1] * y + other_frame[2, 2] * z
        beyond, _ = distance_at(other, u, v, w)
        d = max(d, room - beyond)
    return d, deeper


@njit(cache=True)
def distances_at(  # type: ignore[no-untyped-def]
    points, out, wide, narrow, origins, steps, frame, rows, other_frame, other, room, rough, seed
):
    q, local = np.empty(3), np.empty(3)
    for n in range(points.shape[0]):
        pull(wide, narrow, origins, steps, points[n], q)
        out[n], _ = bone_at(frame, rows, other_frame, other, room, rough, seed, q, local)


@njit(cache=True)
def paint_bone_voxels(  # type: ignore[no-untyped-def]
    hu, labels, origin, spacing, low, high, block, look, value, named,
    wide, narrow, origins, steps, frame, rows, other_frame, other, room, rough, seed,
):  # fmt: skip
    p, q, local = np.empty(3), np.empty(3), np.empty(3)
    size = np.sqrt((((block - 1) * spacing) ** 2).sum()) / 2.0
    outside = 0.5 * look[8] + 0.05
    for i0 in range(low[0], high[0], block[0]):
        i1 = min(i0 + block[0], high[0])
        for j0 in range(low[1], high[1], block[1]):
            j1 = min(j0 + block[1], high[1])
            for k0 in range(low[2], high[2], block[2]):
                k1 = min(k0 + block[2], high[2])
                p[0] = origin[0] + spacing[0] * (i0 + i1 - 1) / 2.0
                p[1] = origin[1] + spacing[1] * (j0 + j1 - 1) / 2.0
                p[2] = origin[2] + spacing[2] * (k0 + k1 - 1) / 2.0
                pull(wide, narrow, origins, steps, p, q)
                d, _ = bone_at(frame, rows, other_frame, other, room, rough, seed, q, local)
                if d > outside + size * _STEEPEST:
                    continue
                for i in range(i0, i1):
                    p[0] = origin[0] + spacing[0] * i
                    for j in range(j0, j1):
                        p[1] = origin[1] + spacing[1] * j
                        for k in range(k0, k1):
                            p[2] = origin[2] + spacing[2] * k
                            pull(wide, narrow, origins, steps, p, q)
                            d, deeper = bone_at(frame, rows, other_frame, other, room, rough, seed, q, local)
                            if d > outside:
                                continue
                            share = min(max(0.5 - d / look[8], 0.0), 1.0)
                            bone = _density(rows, look, d, deeper, q, local, seed)
                            hu[i, j, k] += (bone - hu[i, j, k]) * share
                            if d <= 0.0 and value > 0 and abs(local[0]) <= named[0] and local[2] >= named[1]:
                                labels[i, j, k] = value


@njit(cache=True)
def _density(rows, look, d, deeper, q, local, seed):  # type: ignore[no-untyped-def]
    """HU of bone at a point whose distance to the surface is ``d``."""
    of_body = 1.0 / (1.0 + np.exp(-deeper / 1.5))
    thick = look[2] * of_body + look[3] * (1.0 - of_body)
    thick *= 1.0 + 0.35 * noise_at(q[0], q[1], q[2], 9.0, seed + 1)
    size = look[4]
    grain = 0.65 * noise_at(q[0], q[1], 0.6 * q[2], size, seed + 2)
    grain += 0.35 * noise_at(q[0], q[1], q[2], 3.3 * size, seed + 3)
    grain += 0.35 * noise_at(q[0], q[1], q[2], 14.0, seed + 4)
    marrow = look[0] + (1.0 - of_body) * (45.0 + 0.15 * look[0]) + look[5] * grain
    if rows[0, 0] == 4 and of_body > 0.1:
        body = rows[0, 7:]
        upper, lower = body_plates(body, local[0], local[1])
        near = min(abs(upper - local[2]), abs(local[2] - lower))
        marrow += look[6] * np.exp(-near / 2.5) * of_body
        back = local[1] + 0.5 * body[2]
        vein = np.sqrt((local[0] / 7.0) ** 2 + ((back - 3.0) / 10.0) ** 2 + (local[2] / 2.6) ** 2)
        if vein < 1.3:
            marrow -= look[7] * min(1.3 - vein, 1.0)
            if back < 3.0:
                thick *= 0.4
    depth = min(max((-d - thick) / look[8] + 0.5, 0.0), 1.0)
    return look[1] * (1.0 - depth) + marrow * depth


@njit(cache=True)
def paint_tissue_voxels(fields, look, ratio, origin, spacing, soft, seed, hu):  # type: ignore[no-untyped-def]
    count = fields.shape[3]
    rows = np.empty((fields.shape[2], count), np.float32)
    for i in range(hu.shape[0]):
        a = min(int(i * ratio[0]), fields.shape[0] - 2)
        u = np.float32(i * ratio[0] - a)
        for j in range(hu.shape[1]):
            b = min(int(j * ratio[1]), fields.shape[1] - 2)
            v = np.float32(j * ratio[1] - b)
            for c in range(fields.shape[2]):
                for n in range(count):
                    near = fields[a, b, c, n] * (1 - v) + fields[a, b + 1, c, n] * v
                    far = fields[a + 1, b, c, n] * (1 - v) + fields[a + 1, b + 1, c, n] * v
                    rows[c, n] = near * (1 - u) + far * u
            for k in range(hu.shape[2]):
                c = min(int(k * ratio[2]), fields.shape[2] - 2)
                w = np.float32(k * ratio[2] - c)
                value, size, amount = hu[i, j, k], 0.0, 0.0
                for n in range(count):
                    d = rows[c, n] * (1 - w) + rows[c + 1, n] * w
                    if d < 0.5 * soft:
                        share = min(0.5 - d / soft, 1.0)
                        value += (look[n, 0] - value) * share
                        if share > 0.5:
                            size, amount = look[n, 1], look[n, 2]
                if amount > 0.0:
                    x, y, z = origin[0] + spacing[0] * i, origin[1] + spacing[1] * j, origin[2] + spacing[2] * k
                    value += amount * noise_at(x, y, z, size, seed)
                hu[i, j, k] = value


@njit(cache=True)
def noise_all(points, size, seed, out):  # type: ignore[no-untyped-def]
    for n in range(points.shape[0]):
        out[n] = noise_at(points[n, 0], points[n, 1], points[n, 2], size, seed)


@njit(cache=True)
def lumps_at(points, centres, radii, out):  # type: ignore[no-untyped-def]
    for n in range(points.shape[0]):
        found = 10.0
        for m in range(centres.shape[0]):
            x, y, z = points[n, 0] - centres[m, 0], points[n, 1] - centres[m, 1], points[n, 2] - centres[m, 2]
            a, b, c = radii[m]
            if abs(x) < a + found and abs(y) < b + found and abs(z) < c + found:
                size = np.sqrt((x / a) ** 2 + (y / b) ** 2 + (z / c) ** 2)
                found = min(found, (size - 1.0) * min(a, b, c))
        out[n] = found
