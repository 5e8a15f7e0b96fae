"""prototype"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from gocv.assign import best_pairs
from gocv.geometry import PinholeCamera
from gocv.motion.walking import Gait, Walkers, inverse_2x2
from gocv.multicamera.settings import AssociationSettings

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]
Likeness = Callable[[Float64], Float64]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Window:
    """What the cameras saw at about one moment, at most one frame of each."""

    time_s: float
    cameras: Int64  # those with a frame
    camera: Int64
    row: Int64
    late_s: Float64
    xy_m: Float64
    covariance_m2: Float64
    own_id: Int64
    vector: NDArray[np.float32] | None


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Step:
    """What a window made of the tracks."""

    time_s: float
    elapsed_s: float
    serial: Int64
    mean: Float64
    covariance: Float64
    seen: Bool
    who: Int64  # (n,) serial of each row or -1


class FloorTracker:
    def __init__(self, cameras: Sequence[PinholeCamera], settings: AssociationSettings, likeness: Likeness | None = None, gait: Gait | None = None):
        self.cameras = tuple(cameras)
        self.settings = settings
        self.likeness = likeness
        self.gait = gait or Gait()
        self.walkers = Walkers.appear(np.empty((0, 2)), np.empty((0, 2, 2)), self.gait)
        self.serial = np.empty(0, np.int64)
        self.odds = np.empty(0)
        self.confirmed = np.empty(0, np.bool_)
        self.last_s = np.empty(0)
        self.look = None
        self.next = 0
        self.time_s = None
        self.hits = np.full(len(cameras), 10 * settings.seen)
        self.tries = np.full(len(cameras), 10.0)
        self.own_row = {}
        self.belief = np.zeros((0, 0))
        self.own_last = np.zeros(0)
        self.dead = []
        self.confirmed_ever = set()
        self.same = np.zeros((0, 0))
        self.alias = {}

    def step(self, w: Window) -> Step:
        s = self.settings
        elapsed = 0.0 if self.time_s is None else w.time_s - self.time_s
        self.time_s = w.time_s
        walkers = self.walkers.predict(elapsed, self.gait) if elapsed > 0 and len(self.walkers) else self.walkers
        mean, cov = walkers.state()
        n, m = len(w.row), len(mean)
        who = np.full(n, -1)
        row, track, like = self._pairs(w, mean, cov)
        gain = like - np.log(s.strangers_per_m2)
        at = self._own_rows(w)
        all_row, all_track, all_like = row, track, like
        gain = gain + self._own_ids(w, at, row, track, like) + self._looks(w, row, track) - np.log1p(np.exp(-self.odds))[track]
        good = gain > 0
        row, track, gain, like = row[good], track[good], gain[good], like[good]
        C = len(self.cameras)
        r, c = best_pairs(row, w.camera[row] * m + track, gain, (n, C * m))
        t = c % m if m else c
        who[r] = t
        # fuse
        seen_by = np.zeros((C, m), bool)
        seen_by[w.camera[r], t] = True
        pair_gain = np.zeros((C, m))
        lookup = np.full((n, max(m, 1)), -np.inf) if n * m < 2_000_000 else None
        lookup[row, track] = like
        pair_gain[w.camera[r], t] = np.clip(lookup[r, t] - np.log(s.strangers_per_m2), 0, 2.0)
        walkers, seen = self._fuse(walkers, mean, w, r, t)
        self._exist(w, mean, seen_by, pair_gain)
        self.walkers = walkers
        self.last_s = np.where(seen, w.time_s, self.last_s)
        self._remember(w, r, t)
        whos = np.full(n, -1)
        whos[r] = self.serial[t]
        # births
        rest = np.flatnonzero(who < 0)
        whos[rest], born = self._births(w, rest)
        seen = np.concatenate([seen, np.ones(born, bool)])
        m2 = len(self.serial)
        self.belief = np.concatenate([self.belief, np.full((len(self.belief), m2 - m), np.nan)], axis=1)
        place = {int(k): i for i, k in enumerate(self.serial.tolist())}
        new = [i for i in rest.tolist() if whos[i] >= 0]
        nr = np.array(new, int)
        nt = np.array([place[int(whos[i])] for i in new], int)
        self._learn_ids(w, at, np.concatenate([all_row, nr]), np.concatenate([all_track, nt]), np.concatenate([all_like, np.zeros(len(nr))]))
        mean, cov = self.walkers.state()
        result = Step(w.time_s, elapsed, self.serial.copy(), mean, cov, seen, whos)
        self._drop(w.time_s)
        return result

    def _pairs(self, w, mean, cov):
        s = self.settings
        if not len(w.row) or not len(mean):
            e = np.empty(0, np.int64)
            return e, e, np.empty(0)
        off = w.xy_m[:, None] + w.late_s[:, None, None] * -mean[None, :, 2:] - mean[None, :, :2]
        d2 = (off**2).sum(axis=2)
        reach = (cov[:, 0, 0] + cov[:, 1, 1])[None] + (w.covariance_m2[:, 0, 0] + w.covariance_m2[:, 1, 1])[:, None]
        row, track = np.nonzero(d2 < s.gate_sd**2 * reach)
        off = off[row, track]
        total = cov[track, :2, :2] + w.covariance_m2[row]
        inv, det = inverse_2x2(total)
        sq = np.einsum('ni,nij,nj->n', off, inv, off)
        ok = sq < s.gate_sd**2
        like = -0.5 * (sq + np.log(det)) - np.log(2 * np.pi)
        return row[ok], track[ok], like[ok]

    def _own_rows(self, w):
        """(n,) row of each box's own track in the table of beliefs, -1 without one; new ones are added."""
        at = np.full(len(w.row), -1)
        for i in np.flatnonzero(w.own_id >= 0).tolist():
            key = (int(w.camera[i]), int(w.own_id[i]))
            place = self.own_row.get(key)
            if place is None:
                place = self.own_row[key] = len(self.own_row)
                if place >= len(self.belief):
                    self.belief = np.concatenate([self.belief, np.full((256, self.belief.shape[1]), np.nan)])
                    self.own_last = np.concatenate([self.own_last, np.full(256, -np.inf)])
            at[i] = place
        return at

    def _own_ids(self, w, at, row, track, like):
        """log P(own track is of this track | its past), relative to knowing nothing."""
        s = self.settings
        if not len(row):
            return 0.0
        b = self.belief[at[row], track]
        out = np.where((at[row] >= 0) & np.isfinite(b), b, 0.0)
        return out

    def _learn_ids(self, w, at, row, track, like):
        """Belief of each own track after this window: forward algorithm over tracks and nobody."""
        s = self.settings
        m = len(self.serial)
        rows = np.flatnonzero(at >= 0)
        if not len(rows):
            return
        L = np.full((len(w.row), m), np.log(s.strangers_per_m2))
        L[row, track] = np.maximum(like, np.log(s.strangers_per_m2))
        L = L[rows]
        prior = self.belief[at[rows]]
        prior = np.where(np.isfinite(prior), prior, 0.0)
        post = prior + L - np.log(s.strangers_per_m2)
        # normalise against "nobody" at 0 and mix
        e = np.exp(np.minimum(post, 50))
        total = 1 + e.sum(axis=1, keepdims=True)
        pr = e / total
        keep = s.own_id
        k = m + 1
        mixed = keep * pr + (1 - keep) / k
        none = keep / total + (1 - keep) / k
        self.belief[at[rows]] = np.clip(np.log(mixed / none), -8, 8)
        self.own_last[at[rows]] = w.time_s

    def _looks(self, w, row, track):
        if self.likeness is None or w.vector is None or self.look is None or not len(row):
            return 0.0
        s = self.settings
        look = self.look[track]
        norm = np.linalg.norm(look, axis=1)
        cos = (w.vector[row] * look).sum(axis=1) / np.maximum(norm, 1e-9)
        known = np.isfinite(cos) & (norm > 1e-6)
        out = np.zeros(len(row))
        out[known] = np.clip(self.likeness(cos[known]), -s.look_cap, s.look_cap) * s.look_again
        return out

    def _fuse(self, walkers, mean, w, r, t):
        m = len(mean)
        seen = np.zeros(m, bool)
        if not len(r):
            return walkers, seen
        inv, _ = inverse_2x2(w.covariance_m2[r] + 0.25 * (w.late_s[r] ** 2)[:, None, None] * np.eye(2))
        z = w.xy_m[r] - w.late_s[r, None] * mean[t, 2:]
        info = np.zeros((m, 2, 2)); eta = np.zeros((m, 2))
        np.add.at(info, t, inv)
        np.add.at(eta, t, (inv @ z[..., None])[..., 0])
        seen[t] = True
        at = np.flatnonzero(seen)
        R, _ = inverse_2x2(info[at])
        zz = (R @ eta[at][..., None])[..., 0]
        new = walkers[at].correct(zz, R)
        M, P, W = walkers.mean.copy(), walkers.covariance.copy(), walkers.weight.copy()
        M[at], P[at], W[at] = new.mean, new.covariance, new.weight
        return Walkers(M, P, W), seen

    def _exist(self, w, mean, seen_by, pair_gain):
        m = len(mean)
        if not m:
            return
        C = len(self.cameras)
        visible = np.zeros((C, m))
        xyz = np.zeros((2, m, 3)); xyz[:, :, :2] = mean[:, :2]; xyz[1, :, 2] = self.settings.boxes.height_m
        for c in w.cameras.tolist():
            cam = self.cameras[c]
            px, depth = cam.project(xyz)
            inside = ((px > 0) & (px < [cam.width_px - 1, cam.height_px - 1])).all(axis=(0, 2))
            visible[c] = inside
            idx = np.flatnonzero(inside)
            if len(idx) > 1:
                h = np.abs(px[0, idx, 1] - px[1, idx, 1]); x = px[:, idx, 0].mean(axis=0); half = .18 * h
                top, bot = px[:, idx, 1].min(0), px[:, idx, 1].max(0)
                ov = np.minimum(x + half, (x + half)[:, None]) - np.maximum(x - half, (x - half)[:, None])
                vo = np.minimum(bot, bot[:, None]) - np.maximum(top, top[:, None])
                fr = np.clip(ov, 0, None) * np.clip(vo, 0, None) / (2 * half * h)[:, None]
                fr = np.where(depth[0, idx][None] < depth[0, idx][:, None], fr, 0)
                np.fill_diagonal(fr, 0)
                visible[c, idx] = 1 - np.minimum(fr.max(axis=1), 1)
        p = np.clip(self.hits / self.tries, .05, .95)[:, None] * visible
        self.odds = self.odds + np.where(seen_by, pair_gain, np.log1p(-p)).sum(axis=0)
        self.odds = np.minimum(self.odds, 8.0)
        self._rivals(mean, p, seen_by, w)
        # learn
        clear = (visible > .7) & self.confirmed[None] & ((seen_by.sum(0)[None] - seen_by) > 0)
        self.hits += (clear & seen_by).sum(1) * 1.0
        self.tries += clear.sum(1)

    def _rivals(self, mean, p, seen_by, w):
        m = len(mean)
        apart = np.linalg.norm(mean[:, None, :2] - mean[None, :, :2], axis=2)
        q = 1 - p
        here = np.zeros(len(p), bool); here[w.cameras] = True
        a, b = np.nonzero(np.triu(apart < 1.0, 1))
        new = np.zeros((m, m))
        if len(a):
            sa, sb = seen_by[:, a], seen_by[:, b]
            pa, pb = np.maximum(p[:, a], 0.05), np.maximum(p[:, b], 0.05)
            pm = np.maximum(pa, pb)
            both = np.log(0.03) - np.log(np.maximum(pa, 0.3) * np.maximum(pb, 0.3))
            one = np.log(pm) - np.log(np.maximum(pa * (1 - pb) + pb * (1 - pa), 1e-3))
            none = np.log1p(-pm) - np.log1p(-pa) - np.log1p(-pb)
            ev = np.where(sa & sb, both, np.where(sa | sb, one, none))
            ev = np.where((np.minimum(pa, pb) > 0.3) & here[:, None] | (sa & sb), ev, 0).sum(axis=0)
            new[a, b] = np.clip(self.same[a, b] + ev, -6, 12)
        self.same = new

    def _merge(self):
        a, b = np.nonzero(self.same > self.settings.merge)
        if not len(a):
            return np.zeros(len(self.serial), bool)
        gone = np.zeros(len(self.serial), bool)
        for i, j in zip(a.tolist(), b.tolist()):
            if gone[i] or gone[j]:
                continue
            if self.confirmed[j] and not self.confirmed[i]:
                i, j = j, i
            gone[j] = True
            if self.look is not None:
                self.look[i] += self.look[j]
            self.alias[int(self.serial[j])] = int(self.serial[i])
            self.belief[:, i] = np.fmax(self.belief[:, i], self.belief[:, j])
        return gone

    def _remember(self, w, r, t):
        if w.vector is None or not len(r):
            return
        ok = np.isfinite(w.vector[r, 0])
        if self.look is None:
            self.look = np.zeros((len(self.serial), w.vector.shape[1]), np.float32)
        np.add.at(self.look, t[ok], w.vector[r[ok]])

    def _births(self, w, rest):
        out = np.full(len(rest), -1)
        if not len(rest):
            return out, 0
        order = np.argsort(w.covariance_m2[rest, 0, 0] + w.covariance_m2[rest, 1, 1], kind='stable')
        xs, cs, odds, looks = [], [], [], []
        used = np.zeros(len(rest), bool)
        gate2 = self.settings.gate_sd**2
        for k in order.tolist():
            if used[k]:
                continue
            i = rest[k]
            free = np.flatnonzero(~used & (w.camera[rest] != w.camera[i]))
            off = w.xy_m[rest[free]] - w.xy_m[i]
            inv, det = inverse_2x2(w.covariance_m2[rest[free]] + w.covariance_m2[i])
            sq = np.einsum('ni,nij,nj->n', off, inv, off)
            score = sq + np.log(det)
            group = [k]
            cams = {int(w.camera[i])}
            for q in np.argsort(score).tolist():
                cq = int(w.camera[rest[free[q]]])
                if sq[q] < 9.0 and cq not in cams:
                    cams.add(cq); group.append(int(free[q]))
            rows = rest[group]
            used[group] = True
            inv, _ = inverse_2x2(w.covariance_m2[rows])
            info = inv.sum(0)
            R, _ = inverse_2x2(info[None])
            xs.append((R[0] @ (inv @ w.xy_m[rows][..., None]).sum(0))[:, 0])
            cs.append(R[0]); odds.append(-2.0 + 2.0 * (len(group) - 1))
            out[group] = self.next + len(xs) - 1
            looks.append(None if w.vector is None else np.nansum(w.vector[rows], axis=0))
        born = len(xs)
        self.walkers = self.walkers.joined(Walkers.appear(np.array(xs), np.array(cs), self.gait))
        self.serial = np.concatenate([self.serial, self.next + np.arange(born)])
        self.next += born
        self.odds = np.concatenate([self.odds, odds])
        self.confirmed = np.concatenate([self.confirmed, np.zeros(born, bool)])
        self.last_s = np.concatenate([self.last_s, np.full(born, w.time_s)])
        if w.vector is not None:
            if self.look is None:
                self.look = np.zeros((0, w.vector.shape[1]), np.float32)
            self.look = np.concatenate([self.look, np.array(looks, np.float32)])
        return out, born

    def _drop(self, now):
        s = self.settings
        self.confirmed = self.confirmed | (self.odds >= s.confirm)
        self.confirmed_ever |= set(self.serial[self.confirmed].tolist())
        full = np.zeros((len(self.serial),) * 2)
        full[: len(self.same), : len(self.same)] = self.same
        self.same = full
        gone = (self.odds < s.forget) | (now - self.last_s > s.coast_s) | self._merge()
        if gone.any():
            keep = ~gone
            self.same = self.same[keep][:, keep]
            self.belief = self.belief[:, keep]
            self.walkers = self.walkers[keep]
            self.serial, self.odds, self.confirmed, self.last_s = self.serial[keep], self.odds[keep], self.confirmed[keep], self.last_s[keep]
            if self.look is not None:
                self.look = self.look[keep]
