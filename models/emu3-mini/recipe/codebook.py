"""A codebook that follows the latents: k-means at first, then exponential moving averages."""

import torch

KMEANS_ROUNDS = 10
DECAY = 0.99
RESTART_EVERY = 20  # updates
DEAD = 0.01  # average uses in an update


class Codebook:
    """Updates the rows [K, 4] of an embedding, which is overwritten."""

    def __init__(self, rows):
        self._rows = rows
        self._uses = torch.ones(len(rows), device=rows.device)
        self._sums = rows.data.clone()
        self._updates = 0

    def live(self):
        """How many rows are in use."""
        return int((self._uses > DEAD).sum())

    def kmeans(self, latents):
        """Start from latents [N, 4]."""
        count = len(self._rows)
        centers = latents[torch.randperm(len(latents))[:count].to(latents.device)].clone()
        centers = centers + 1e-4 * torch.randn(count, latents.shape[1]).to(latents.device)
        for _ in range(KMEANS_ROUNDS):
            norms = (centers * centers).sum(1)
            nearest = torch.cat(
                [(norms - 2 * part @ centers.t()).argmin(1) for part in latents.split(8192)]
            )
            uses = torch.bincount(nearest, minlength=count).float()
            sums = torch.zeros_like(centers).index_add_(0, nearest, latents)
            others = latents[torch.randint(len(latents), (count,)).to(latents.device)]
            centers = torch.where((uses > 0)[:, None], sums / uses.clamp(min=1)[:, None], others)
        self._rows.data.copy_(centers)
        self._uses = torch.full_like(self._uses, 2)
        self._sums = centers * 2

    def state(self):
        """What `restore` goes on from; the rows belong to the network."""
        return {"uses": self._uses, "sums": self._sums, "updates": self._updates}

    def restore(self, state):
        """Go on where a run was."""
        self._uses.copy_(state["uses"])
        self._sums.copy_(state["sums"])
        self._updates = state["updates"]

    @torch.no_grad()
    def update(self, latents, codes, restart):
        """Move towards latents [N, 4] with their codes [N]; gives how many rows were restarted."""
        uses = torch.bincount(codes, minlength=len(self._rows)).float()
        self._uses.mul_(DECAY).add_(uses, alpha=1 - DECAY)
        self._sums.mul_(DECAY).index_add_(0, codes, latents * (1 - DECAY))
        self._updates += 1
        self._rows.data.copy_(self._sums / self._uses.clamp(min=1e-5)[:, None])
        if restart and self._updates % RESTART_EVERY == 0:
            return self._restart(latents, codes)
        return 0

    def _restart(self, latents, codes):
        """Put dead rows where latents are badly matched."""
        dead = (self._uses < DEAD).nonzero()[:, 0]
        if not len(dead):
            return 0
        errors = ((latents - self._rows[codes]) ** 2).sum(1)
        chosen = torch.multinomial(errors + 1e-9, min(len(dead), len(latents) // 4))
        dead = dead[: len(chosen)]
        self._rows.data[dead] = latents[chosen]
        self._sums[dead] = latents[chosen] * 0.05
        self._uses[dead] = 0.05
        return len(dead)
