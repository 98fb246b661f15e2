"""The network that finds the facts of a document: states of tokens and entities -> scores of pairs. No spaCy in here.

It reads passages: short documents, or stretches of long ones. An entity is a set of mentions of a passage. For each
ordered pair of entities it asks what the two are, what stands between and around their mentions, wherever in the
passage that is, and what may follow from the pairs that either of them forms with a third: a town of a county of a
country is in the country, though no sentence says so.

Letters for shapes: B passages, T tokens, M mentions, E entities, P pairs; L, m and n are the largest numbers of tokens,
mentions and entities that a passage of the batch has.
"""

from collections.abc import Iterator
from itertools import accumulate, pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

from kgmrca.extraction.encoder.networks import rows_of, start_like_keras

__all__ = ["FactNetwork"]

_EDGES = (1, 2, 3, 4, 5, 6, 8, 11, 15, 20, 30, 50)
"""Where the ranges of numbers of tokens begin that the network tells apart."""

_RANGES = len(_EDGES) + 1
_SENTENCES = 5  # sentences apart, or mentions of an entity, that are told apart
_NEAR = 60  # tokens between two mentions that are still read as what stands between them
_FAR = 1 << 40  # larger than any distance
_MAX_CELLS = 1_000_000
"""Pairs times tokens that are looked at together while predicting: this bounds the memory."""

_MAX_PAIRS = 3_000
"""Pairs of the passages that a processor works on together while predicting: what stands for them fits its cache."""


class FactNetwork(nn.Module):
    """Scores [P, n_outputs] of ordered pairs of entities, before the sigmoid.

    Args:
        state_width: of the states of tokens.
        vector_width: of the static vectors of tokens.
        n_types: how many types of entities are known; the number beyond them stands for all others.
        n_outputs: how many labels there are.
        token_width: of tokens as this network sees them.
        hidden_width: states of each direction of its BiLSTM.
        entity_width: of entities.
        pair_width: of pairs.
        heads: ways of looking for the tokens that tell something of a pair.
        key_width: of each of these ways.
        third_width: of what a pair is told of the pairs with a third entity.
        dropout: share of values dropped while training.
    """

    def __init__(
        self,
        *,
        state_width: int,
        vector_width: int,
        n_types: int,
        n_outputs: int,
        token_width: int = 128,
        hidden_width: int = 64,
        entity_width: int = 128,
        pair_width: int = 96,
        heads: int = 4,
        key_width: int = 24,
        third_width: int = 24,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        self.tokens = _Tokens(state_width, vector_width, n_types, token_width, hidden_width, dropout)
        self.entities = _Entities(self.tokens.width, vector_width, n_types, entity_width, dropout)
        self.pairs = _Pairs(self.tokens.width, entity_width, n_types, pair_width)
        self.context = _Context(self.tokens.width, pair_width, heads, key_width)
        self.mix = _Mix(pair_width, dropout)
        self.thirds = _Thirds(pair_width, third_width, dropout)
        self.norm = nn.LayerNorm(pair_width)
        self.dropout = _GridDropout(dropout)
        self.scores = nn.Linear(pair_width, n_outputs)
        nn.init.normal_(self.scores.weight, std=0.02)
        nn.init.constant_(self.scores.bias, -5.5)  # about how rare a label is

    def forward(
        self,
        states: Tensor,
        vectors: Tensor,
        lengths: Tensor,
        sentence: Tensor,
        mentions: Tensor,
        mention_entity: Tensor,
        mention_kind: Tensor,
        entity_type: Tensor,
        entity_passage: Tensor,
        pairs: Tensor,
    ) -> Tensor:
        """The scores of pairs.

        Args:
            states: of the tokens, one passage after another, [T, state_width].
            vectors: static vectors of the tokens, [T, vector_width].
            lengths: tokens of each passage, [B].
            sentence: number of each token's sentence, rising within a passage, [T].
            mentions: first token and end (exclusive) of each mention, one passage after another, [M, 2].
            mention_entity: number of each mention's entity; each entity has a mention, [M].
            mention_kind: 0 for names, dates and numbers, 1 for pronouns, 2 for other mentions, [M].
            entity_type: number of each entity's type, [E].
            entity_passage: number of each entity's passage, not falling, [E].
            pairs: numbers of two entities of one passage, subject and object, one passage after another, [P, 2].
        """
        if not len(pairs):
            return self.scores.weight.new_zeros(0, self.scores.out_features)
        batch = _Passages(lengths, sentence, mentions, mention_entity, mention_kind, entity_type, entity_passage)
        tokens = self.tokens(states, vectors, batch)
        if self.training or lengths.is_cuda:
            return self._of_pairs(tokens, vectors, batch, pairs)
        before = [0, *entity_passage[pairs[:, 0]].bincount(minlength=len(lengths)).cumsum(0).tolist()]
        found = []
        for part in batch.parts(_MAX_PAIRS):
            here = tokens[part.passages, : int(part.facts.lengths.max())]
            asked = pairs[before[part.passages.start] : before[part.passages.stop]] - part.entities.start
            found.append(self._of_pairs(here, vectors[part.tokens], part.facts, asked))
        return torch.cat(found)

    def _of_pairs(self, tokens: Tensor, vectors: Tensor, passages: "_Passages", pairs: Tensor) -> Tensor:
        """The scores of pairs, given the tokens of their passages, [B, L, width]."""
        at = _Places(passages)
        entities = self.entities(tokens, vectors, at)
        grid = self.pairs(tokens, entities, at)
        grid = grid + self.context(grid, tokens, at)
        grid = grid + self.mix(grid)
        grid = grid + self.thirds(grid, at)
        cells = at.entity_slot[pairs[:, 0]] * at.most + at.entity_place[pairs[:, 1]]
        asked = grid.flatten(0, 2).index_select(0, cells)
        scores: Tensor = self.scores(self.dropout(self.norm(asked).relu()))
        return scores


class _Passages(NamedTuple):
    """What is told of passages, but for their words; see `FactNetwork.forward`."""

    lengths: Tensor
    sentence: Tensor
    mentions: Tensor
    mention_entity: Tensor
    mention_kind: Tensor
    entity_type: Tensor
    entity_passage: Tensor

    def parts(self, most: int) -> Iterator["_Part"]:
        """Some passages at a time, in their order, that have at most so many pairs (padding included), or one alone."""
        sizes = self.entity_passage.bincount(minlength=len(self.lengths)).tolist()
        bounds = [0]
        largest = 0
        for number, size in enumerate(sizes):
            largest = max(largest, size)
            if number > bounds[-1] and largest**2 * (number + 1 - bounds[-1]) > most:
                bounds.append(number)
                largest = size
        bounds.append(len(sizes))
        mentions = self.entity_passage[self.mention_entity].bincount(minlength=len(sizes)).tolist()
        before = [list(accumulate(counts, initial=0)) for counts in (self.lengths.tolist(), mentions, sizes)]
        for start, end in pairwise(bounds):
            token, mention, entity = (slice(counts[start], counts[end]) for counts in before)
            facts = _Passages(
                self.lengths[start:end],
                self.sentence[token],
                self.mentions[mention] - token.start,
                self.mention_entity[mention] - entity.start,
                self.mention_kind[mention],
                self.entity_type[entity],
                self.entity_passage[entity] - start,
            )
            yield _Part(slice(start, end), token, entity, facts)


class _Part(NamedTuple):
    """Some passages of a batch."""

    passages: slice
    tokens: slice
    entities: slice
    facts: _Passages


class _Rows:
    """Where the tokens of passages are in an array [B, L] that is padded to the longest passage."""

    def __init__(self, lengths: Tensor) -> None:
        self.lengths = lengths
        self.start = lengths.cumsum(0) - lengths
        self.token, self.is_token = _padded(lengths)  # [B, L]
        self.shape = self.token.shape


class _Places(_Rows):
    """Where tokens, mentions and entities of passages are in arrays that are padded to the largest passage."""

    def __init__(self, facts: _Passages) -> None:
        super().__init__(facts.lengths)
        lengths, sentence, mentions, mention_entity, self.kind, entity_type, entity_passage = facts
        device = lengths.device
        counts = entity_passage.bincount(minlength=len(lengths))
        self.entity_place = torch.arange(len(entity_type), device=device) - (counts.cumsum(0) - counts)[entity_passage]
        self.most = int(counts.max())
        self.entity_slot = entity_passage * self.most + self.entity_place  # [E] in B * n
        self.mention_slot = self.entity_slot[mention_entity]  # [M] in B * n
        slots = len(lengths) * self.most
        others = torch.zeros(slots, dtype=torch.long, device=device)
        self.is_entity = others.bool().index_fill(0, self.entity_slot, True).view(len(lengths), -1)
        self.type = others.index_copy(0, self.entity_slot, entity_type)  # [B * n]
        self.sizes = mentions[:, 1] - mentions[:, 0]
        self.inside, self.of_mention = rows_of(mentions[:, 0], mentions[:, 1])  # the tokens of mentions

        # Mentions padded, [B, m]: first and last token (counted in the passage), sentence, place of the entity.
        passage = entity_passage[mention_entity]
        in_order = torch.argsort(mentions[:, 0] * (len(sentence) + 1) + mentions[:, 1])  # passage after passage
        of_passage = passage.bincount(minlength=len(lengths))
        rows, self.is_mention = _padded(of_passage)
        rows = in_order[rows.clamp(min=0)]
        self.first = mentions[rows, 0] - self.start.unsqueeze(1)
        self.last = mentions[rows, 1] - 1 - self.start.unsqueeze(1)
        self.mention_sentence = sentence[mentions[rows, 0]]
        self.owner = self.entity_place[mention_entity[rows]]
        self.in_passage = mentions[:, 0] - self.start[passage]
        self.padded_inside = (self.in_passage + passage * self.shape[1])[self.of_mention] + (
            self.inside - mentions[self.of_mention, 0]
        )

    def lowest(self, values: Tensor) -> Tensor:
        """For each pair of entities the lowest value of their pairs of mentions: [B, m, m] -> [B, n, n]."""
        both = self.is_mention.unsqueeze(2) & self.is_mention.unsqueeze(1)
        target = self.owner.unsqueeze(2) * self.most + self.owner.unsqueeze(1)
        start = values.new_full((len(values), self.most**2), _FAR)
        values = values.masked_fill(~both, _FAR)
        found = start.scatter_reduce(1, target.flatten(1), values.flatten(1), "amin")
        return found.view(-1, self.most, self.most)


def _padded(counts: Tensor) -> tuple[Tensor, Tensor]:
    """Rows of groups of so many, [groups, most], and which of them are real."""
    steps = torch.arange(max(int(counts.max()), 1), device=counts.device)
    start = counts.cumsum(0) - counts
    return start.unsqueeze(1) + steps.minimum(counts.unsqueeze(1) - 1), steps < counts.unsqueeze(1)


def _ranges(numbers: Tensor) -> Tensor:
    """In which range each number of tokens is."""
    return torch.bucketize(numbers, torch.tensor(_EDGES, device=numbers.device), right=True)


def _embedding(count: int, width: int) -> nn.Embedding:
    made = nn.Embedding(count, width)
    nn.init.normal_(made.weight, std=0.1)
    return made


class _GridDropout(nn.Module):
    """Drops features for all objects of a subject together: drawing for each pair costs more time than it is worth."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, grid: Tensor) -> Tensor:
        """[..., objects, width] of any shape."""
        if not self.training or not self.share:
            return grid
        kept = torch.rand(*grid.shape[:-2], 1, grid.shape[-1], device=grid.device) > self.share
        return grid * (kept / (1 - self.share)).to(grid.dtype)


class _Tokens(nn.Module):
    """Tokens that know of which type the entity is that they name: [B, L, width]."""

    def __init__(
        self, state_width: int, vector_width: int, n_types: int, token_width: int, hidden_width: int, dropout: float
    ) -> None:
        super().__init__()
        self.width = 2 * hidden_width + token_width
        self.states = nn.Linear(state_width, token_width)
        self.vectors = nn.Linear(vector_width, token_width, bias=False)
        self.mark = _embedding(n_types + 2, token_width)  # 0: no mention
        self.norm = nn.LayerNorm(token_width)
        self.forwards = nn.LSTM(token_width, hidden_width, batch_first=True)
        self.backwards = nn.LSTM(token_width, hidden_width, batch_first=True)
        start_like_keras(self.forwards)
        start_like_keras(self.backwards)
        self.dropout = nn.Dropout(dropout)

    def forward(self, states: Tensor, vectors: Tensor, passages: _Passages) -> Tensor:
        """Tokens beyond the end of a passage are zero."""
        at = _Rows(passages.lengths)
        inside, of_mention = rows_of(passages.mentions[:, 0], passages.mentions[:, 1])
        mark = torch.zeros(len(states), dtype=torch.long, device=states.device)
        mark = mark.index_copy(0, inside, 1 + passages.entity_type[passages.mention_entity[of_mention]])
        inputs = self.states(self.dropout(states)) + self.vectors(self.dropout(vectors)) + self.mark(mark)
        inputs = self.dropout(self.norm(inputs).relu())[at.token]
        ahead = self.forwards(inputs)[0]
        # Padded tokens from the last to the first, in B * L. What is behind a passage's end is read after it.
        steps = torch.arange(at.shape[1], device=states.device)
        back = (at.lengths.unsqueeze(1) - 1 - steps).clamp(min=0)
        back = (back + torch.arange(at.shape[0], device=states.device).unsqueeze(1) * at.shape[1]).flatten()
        behind = self.backwards(inputs.flatten(0, 1).index_select(0, back).view_as(inputs))[0]
        behind = behind.flatten(0, 1).index_select(0, back).view_as(ahead)
        read = self.dropout(torch.cat([ahead, behind, inputs.to(ahead.dtype)], 2))
        return read * at.is_token.unsqueeze(2)


class _Entities(nn.Module):
    """Entities from their mentions: [B, n, width]."""

    def __init__(self, token_width: int, vector_width: int, n_types: int, width: int, dropout: float) -> None:
        super().__init__()
        self.mention = nn.Linear(token_width, width)
        self.name = nn.Linear(vector_width, width, bias=False)
        self.kind = _embedding(3, width)
        self.of_type = _embedding(n_types + 1, width)
        self.count = _embedding(_SENTENCES + 1, width)
        self.first = _embedding(_RANGES, width)
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor, vectors: Tensor, at: _Places) -> Tensor:
        """An entity is the smooth maximum of its mentions, with its type and the mean vector of its names' words."""
        slots, slot = at.is_entity.numel(), at.mention_slot
        inside = tokens.flatten(0, 1).float().index_select(0, at.padded_inside)
        means = inside.new_zeros(len(slot), inside.shape[1]).index_add(0, at.of_mention, inside)
        mentions = (self.mention(means / at.sizes.unsqueeze(1)) + self.kind(at.kind)).float()
        highest = mentions.new_full((slots, mentions.shape[1]), -1e4)
        highest = highest.scatter_reduce(0, slot.unsqueeze(1).expand_as(mentions), mentions.detach(), "amax")
        sums = torch.zeros_like(highest).index_add(0, slot, (mentions - highest[slot]).exp())
        found = highest + sums.clamp(min=1e-6).log()

        weight = (at.kind == 0).float()[at.of_mention]  # the words of pronouns tell nothing
        words = vectors.float().index_select(0, at.inside) * weight.unsqueeze(1)
        names = words.new_zeros(slots, words.shape[1]).index_add(0, slot[at.of_mention], words)
        counts = words.new_zeros(slots).index_add(0, slot[at.of_mention], weight)
        found = found + self.name(self.dropout(names / counts.clamp(min=1).unsqueeze(1)))

        mentioned = at.type.new_zeros(slots).index_add(0, slot, torch.ones_like(slot)).clamp(max=_SENTENCES)
        first = at.type.new_full((slots,), _FAR).scatter_reduce(0, slot, at.in_passage, "amin")
        found = found + self.of_type(at.type) + self.count(mentioned) + self.first(_ranges(first))
        return self.dropout(self.norm(found).relu()).view(*at.is_entity.shape, -1)


class _Pairs(nn.Module):
    """Pairs from their entities, and from what stands between their closest mentions: [B, n, n, width]."""

    def __init__(self, token_width: int, entity_width: int, n_types: int, width: int) -> None:
        super().__init__()
        self.n_types = n_types
        self.subject, self.object = nn.Linear(entity_width, width), nn.Linear(entity_width, width)
        self.left, self.right = nn.Linear(entity_width, entity_width), nn.Linear(entity_width, entity_width)
        self.product = nn.Linear(entity_width, width)
        self.types = _embedding((n_types + 1) ** 2, width)
        self.sentences = _embedding(_SENTENCES + 1, width)
        self.distance = _embedding(2 * _RANGES, width)
        self.passage = nn.Linear(token_width, width)
        self.words = nn.Linear(token_width, width)
        self.between = nn.Linear(width, width)

    def forward(self, tokens: Tensor, entities: Tensor, at: _Places) -> Tensor:
        """See the class."""
        passages = len(tokens)
        mean = tokens.sum(1) / at.lengths.unsqueeze(1)
        subject = self.subject(entities) + self.passage(mean.to(tokens.dtype)).unsqueeze(1)
        left, right = self.left(entities).tanh(), self.right(entities).tanh()
        grid = self.product(left.unsqueeze(2) * right.unsqueeze(1))
        grid = grid + (subject.unsqueeze(2) + self.object(entities).unsqueeze(1))
        kind = at.type.view(passages, -1)
        types = kind.unsqueeze(2) * (self.n_types + 1) + kind.unsqueeze(1)
        apart = (at.mention_sentence.unsqueeze(2) - at.mention_sentence.unsqueeze(1)).abs()
        sentences = at.lowest(apart).clamp(max=_SENTENCES)
        gap = torch.maximum(
            at.first.unsqueeze(1) - at.last.unsqueeze(2) - 1, at.first.unsqueeze(2) - at.last.unsqueeze(1) - 1
        ).clamp(min=0)
        count = at.first.shape[1]
        number = torch.arange(count**2, device=gap.device).view(count, count)
        closest = at.lowest(gap * count**2 + number)  # how far, and which pair of mentions, as one number
        there = closest < _FAR
        which = torch.where(there, closest % count**2, 0).flatten(1)
        apart = torch.where(there, closest // count**2, 0)
        one, other = which // count, which % count
        backwards = (at.first.gather(1, other) < at.first.gather(1, one)).long().view_as(apart)
        numbers = torch.stack([types, sentences + len(self.types.weight), 2 * _ranges(apart) + backwards], 3)
        numbers[..., 2] += len(self.types.weight) + len(self.sentences.weight)
        tables = torch.cat([self.types.weight, self.sentences.weight, self.distance.weight])
        grid = grid + nn.functional.embedding_bag(numbers.view(-1, 3), tables, mode="sum").view_as(grid)

        start = torch.minimum(at.last.gather(1, one), at.last.gather(1, other)) + 1
        end = torch.maximum(torch.maximum(at.first.gather(1, one), at.first.gather(1, other)), start)
        # A mean of projections is the projection of the mean, and there are fewer tokens than pairs.
        words = nn.functional.linear(self.words(tokens).relu(), self.between.weight).float() * at.is_token.unsqueeze(2)
        sums = torch.cat([torch.zeros_like(words[:, :1]), words.cumsum(1)], 1)
        here = torch.arange(passages, device=gap.device).unsqueeze(1) * sums.shape[1]
        sums = sums.flatten(0, 1)
        between = sums.index_select(0, (here + end).flatten()) - sums.index_select(0, (here + start).flatten())
        between = between.view(passages, -1, words.shape[2])
        near = (end - start <= _NEAR).unsqueeze(2)
        between = between / (end - start).clamp(min=1).unsqueeze(2) * near
        return grid + (between + self.between.bias).view_as(grid)


class _Context(nn.Module):
    """What the tokens of the passage say of a pair, wherever they are: [B, n, n, width].

    Each pair looks for the tokens that fit it, in several ways ("heads"). How far a token is from the closest mentions
    of subject and object, and on which side, makes it more or less likely to be looked at.
    """

    def __init__(self, token_width: int, width: int, heads: int, key_width: int) -> None:
        super().__init__()
        self.heads, self.key_width = heads, key_width
        self.norm = nn.LayerNorm(width)
        self.query = nn.Linear(width, heads * key_width)
        self.key = nn.Linear(token_width, heads * key_width, bias=False)
        self.value = nn.Linear(token_width, width)
        self.subject, self.object = (nn.Embedding(2 * _RANGES, heads) for _ in range(2))
        nn.init.zeros_(self.subject.weight)
        nn.init.zeros_(self.object.weight)
        self.out = nn.Linear(width, width)

    def forward(self, grid: Tensor, tokens: Tensor, at: _Places) -> Tensor:
        """See the class."""
        passages, length, _ = tokens.shape
        range_ = self._ranges(at)
        hidden = torch.where(at.is_token, 0.0, -1e4)
        if self.training:
            hidden = hidden.masked_fill(torch.rand_like(hidden) < 0.1, -1e4)
        subject = self.subject(range_).permute(0, 3, 1, 2).contiguous()  # [B, heads, n, L]
        subject = subject + hidden.view(passages, 1, 1, length)
        object_ = self.object(range_).permute(0, 3, 1, 2).contiguous()
        query = self.query(self.norm(grid)) / self.key_width**0.5
        query = query.view(passages, at.most, at.most, self.heads, -1).permute(0, 3, 1, 2, 4)
        key = self.key(tokens).view(passages, length, self.heads, -1).permute(0, 2, 3, 1).flatten(0, 1)
        value = self.value(tokens).view(passages, length, self.heads, -1).transpose(1, 2).flatten(0, 1)
        # All subjects at once while training; a few at a time, if there are many, while predicting.
        step = at.most if self.training else max(1, _MAX_CELLS // (passages * at.most * length * self.heads))
        found = []
        for some, bias in zip(query.split(step, 2), subject.split(step, 2), strict=True):
            # The sum is made in place: these are the largest arrays of all.
            fit = (bias.unsqueeze(3) + object_.unsqueeze(2)).view(len(key), -1, length)
            fit = fit.baddbmm_(some.reshape(len(key), -1, some.shape[-1]).to(fit.dtype), key.to(fit.dtype))
            seen = fit.softmax(2).to(value.dtype) @ value
            found.append(seen.view(passages, self.heads, -1, at.most, seen.shape[-1]))
        return self.out(torch.cat(found, 2).permute(0, 2, 3, 1, 4).flatten(3))

    def _ranges(self, at: _Places) -> Tensor:
        """How far each token is from the closest mention of each entity, and on which side, [B, n, L]."""
        token = torch.arange(at.shape[1], device=at.first.device)
        first, last = at.first.unsqueeze(2), at.last.unsqueeze(2)
        apart = torch.maximum(first - token, token - last).clamp(min=0)
        apart = (2 * apart + (token > last)).masked_fill(~at.is_mention.unsqueeze(2), _FAR)
        closest = apart.new_full((len(apart), at.most, at.shape[1]), _FAR)
        closest = closest.scatter_reduce(1, at.owner.unsqueeze(2).expand_as(apart), apart, "amin")
        return 2 * _ranges(closest // 2) + closest % 2


class _Mix(nn.Module):
    """Mixes the features of each pair: [..., width] -> [..., width], to be added."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.inner, self.outer = nn.Linear(width, width), nn.Linear(width, width)
        self.dropout = _GridDropout(dropout)

    def forward(self, grid: Tensor) -> Tensor:
        """See the class."""
        return self.outer(self.dropout(self.inner(self.norm(grid)).relu()))


class _Thirds(nn.Module):
    """What a pair (i, j) learns from the pairs (i, k) and (k, j), and (k, i) and (k, j), with any k: to be added.

    It is a product of matrices for each feature, so it costs little.
    """

    def __init__(self, width: int, third_width: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.inner, self.gate = nn.Linear(width, 4 * third_width), nn.Linear(width, 4 * third_width)
        self.found = nn.LayerNorm(2 * third_width)
        self.outer = nn.Linear(2 * third_width, width)
        self.dropout = _GridDropout(dropout)
        self.mix = _Mix(width, dropout)

    def forward(self, grid: Tensor, at: _Places) -> Tensor:
        """See the class."""
        real = at.is_entity.unsqueeze(2) & at.is_entity.unsqueeze(1)
        real = real & ~torch.eye(at.most, dtype=torch.bool, device=grid.device)
        normed = self.norm(grid)
        parts = self.inner(normed) * self.gate(normed).sigmoid() * real.unsqueeze(3)
        from_first, to_second, to_first, also_to_second = parts.permute(0, 3, 1, 2).chunk(4, 1)
        found = torch.cat([from_first @ to_second, to_first.transpose(2, 3) @ also_to_second], 1).permute(0, 2, 3, 1)
        told = self.outer(self.dropout(self.found(found)))
        return told + self.mix(grid + told)
