"""The commands for training and scoring: `corpus`, `evaluate` and `calibrate`."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from kgmrca.cli.options import Level, Pipeline, load_pipeline, no_stream, opened_if_named
from kgmrca.errors import InputError
from kgmrca.files import STANDARD, check_folder, check_outputs, whole_folder
from kgmrca.progress import counted
from kgmrca.resources import resource


def corpus_command(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            metavar="INPUT",
            help="Annotated data, as JSON Lines or as one JSON array, also with .gz (see below for the keys).",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", callback=no_stream, metavar="OUT", help="The .spacy file to write.")
    ],
    dev: Annotated[
        Path | None,
        typer.Option(
            callback=no_stream,
            metavar="FILE",
            help="A second .spacy file, for a part of the documents.",
        ),
    ] = None,
    dev_share: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="The share of the documents that is written to --dev, from 0 to 1. The id of a document decides where "
            "it is written.",
        ),
    ] = 0.1,
    mapping: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="An SSSOM table that maps the relations to labels, used instead of relations.tsv.",
        ),
    ] = None,
    partial: Annotated[
        bool,
        typer.Option(
            "--partial",
            help="Only some of the relations of each text are annotated. Pairs without an annotation are not taken for "
            "negative examples.",
        ),
    ] = False,
) -> None:
    """Convert annotated data to gold documents for training.

    Evaluation and calibration use gold documents as well.

    Two formats are read. A record of the first is a document in the format of DocRED:

    \b
      title      the name of the document
      sents      a list of sentences, each a list of tokens
      vertexSet  a list of entities, each a list of mentions with the keys
                   sent_id  the number of the sentence, from 0
                   pos      [start, end) in tokens of the sentence
                   type     the type of the entity
      labels     a list of relations with the keys
                   h, t     subject and object, as numbers in vertexSet
                   r        the relation

    A record of the second format is a sentence:

    \b
      id         the name of the sentence
      tokens     a list of tokens
      entities   a list of entities with the keys
                   start, end  [start, end) in tokens
                   type        the type of the entity
                   eid         what several mentions of one entity have in common (optional)
                   qid         its Wikidata item (optional)
      relations  a list of relations with the keys
                   subject, object  numbers in entities
                   predicate        the relation

    A record of both may have the key exhaustive: a list of the relations that are annotated exhaustively in it. A pair
    without one of these relations is then a negative example for it.

    A file relations.tsv beside the data maps its relations to labels. It has the columns relation, wikidata_pid and
    label.

    \b
    Examples:
      kgmrca corpus dev.jsonl.gz -o train.spacy --dev dev.spacy
      kgmrca corpus wiki80/train.jsonl.gz --partial -o wiki80.spacy
      kgmrca corpus knowledgenet/train.jsonl.gz --mapping knowledgenet.sssom.tsv -o knowledgenet.spacy
    """
    from kgmrca.corpora.annotated import write_gold

    counts, left_out, oddities = write_gold(
        inputs, output, dev=dev, dev_share=dev_share, mapping=mapping, partial=partial
    )
    for path, (documents, relations) in counts.items():
        print(f"kgmrca: {counted(documents, 'document')}, {counted(relations, 'relation')} -> {path}", file=sys.stderr)
    empty = [path for path, (documents, _) in counts.items() if not documents]
    for path in empty if dev else ():
        print(
            f"kgmrca: {path} has no documents, so there is nothing to train with yet. The name of a document decides "
            f"where it is written: choose another --dev-share than {dev_share:g}, or give documents different names.",
            file=sys.stderr,
        )
    if dev and not empty:
        config = resource("pipelines/documents.cfg")
        train = f"spacy train {config} --paths.train {output} --paths.dev {dev} -o training"
        print(f"kgmrca: to train relations on them: {train}", file=sys.stderr)
    for predicate, count in left_out.most_common():
        print(
            f"kgmrca: {count:,} relations '{predicate}' were left out, because no label stands for them.",
            file=sys.stderr,
        )
    for oddity, count in oddities.most_common():
        print(f"kgmrca: {count:,} {oddity}.", file=sys.stderr)


LevelOption = Annotated[
    Level | None,
    typer.Option(
        "--level",
        help="Score the relations of the entities of a document, or those of mentions of a sentence.  "
        "[default: what the pipeline looks for]",
        show_default=False,
    ),
]


def evaluate_command(
    pipeline: Pipeline,
    data: Annotated[
        list[Path],
        typer.Argument(
            metavar="GOLD...",
            help="The gold documents: .spacy files that `kgmrca corpus` wrote. Each is scored by itself.",
            show_default=False,
        ),
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write all scores to this file as JSON, or - for standard output."
        ),
    ] = None,
    level: LevelOption = None,
    seen: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="The gold documents of the training. Facts that are in them are left out of a second F1 of the "
            "relations of documents. Can be given several times.",
            show_default=False,
        ),
    ] = None,
    thresholds: Annotated[
        bool, typer.Option("--thresholds", help="Score only the relations, at thresholds from 0.05 to 0.95.")
    ] = False,
    per_label: Annotated[
        bool,
        typer.Option("--per-label", help="Print the scores of each entity type and of each relation label as well."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print all scores as JSON instead of the table.")] = False,
    resamples: Annotated[
        int, typer.Option(min=1, help="The number of bootstrap samples for the confidence intervals.")
    ] = 1000,
) -> None:
    """Score the entities and relations that a pipeline finds.

    The relations are scored twice: with the gold entities, and end to end from the raw text. P, R and F1 are micro
    averages. In brackets are their 95 % confidence intervals, from bootstrap samples of the documents.

    With --level document, a relation is right if its label and both entities are right, whatever sentence it is from.
    From raw text, an entity that was found stands for the gold entity with which it shares most mentions. With --level
    sentence, both mentions must be exactly right.

    What is not annotated exhaustively in a document is not judged.

    \b
    Examples:
      kgmrca evaluate en_kgmrca_sm test.spacy -o scores.json
      kgmrca evaluate en_kgmrca_sm test.spacy --level document --seen train.spacy
      kgmrca evaluate training/model-best dev.spacy --thresholds
    """
    import json

    from kgmrca.extraction.relations.operating_points import sweep
    from kgmrca.extraction.relations.score_table import score_table, sweep_table
    from kgmrca.extraction.relations.scorer import evaluate

    if thresholds and (per_label or seen):
        raise InputError(
            f"--{'per-label' if per_label else 'seen'} and --thresholds exclude each other: --thresholds gives no such "
            "scores."
        )
    check_outputs([output], [*data, *(seen or ()), pipeline], what="read", takes=Path.exists)
    with opened_if_named(output) as stream:  # what cannot be written is said before the work
        nlp = load_pipeline(pipeline)
        found: list[Any] = []
        tables = []
        for path in data:
            if thresholds:
                found.append(sweep(nlp, path, level=level))
                tables.append(sweep_table(found[-1]))
            else:
                found.append(evaluate(nlp, path, level=level, seen=seen or (), resamples=resamples))
                tables.append(score_table(found[-1], labels=per_label))
        by_file = {str(path): scores for path, scores in zip(data, found, strict=True)}
        written = json.dumps(found[0] if len(data) == 1 else by_file, indent=2)
        if stream:
            stream.write(f"{written}\n".encode())
    if output != STANDARD:
        named = tables if len(data) == 1 else [f"{path}\n\n{table}" for path, table in zip(data, tables, strict=True)]
        print(written if as_json else "\n\n\n".join(named))


def calibrate_command(
    pipeline: Pipeline,
    data: Annotated[
        list[Path],
        typer.Argument(
            metavar="DEV...",
            help="The gold documents: .spacy files that `kgmrca corpus` wrote. Use documents that are neither in the "
            "training data nor in the test data. Each file is a data set of its own, and none of them decides alone.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            callback=no_stream,
            metavar="OUT",
            help="The folder for the calibrated pipeline. A pipeline in it is replaced.",
        ),
    ],
    level: LevelOption = None,
    scores: Annotated[
        Path | None,
        typer.Option(
            callback=no_stream, metavar="FILE", help="Write what each operating point gives on each data set, as JSON."
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            callback=no_stream,
            metavar="FILE",
            help="Draw reliability diagrams before and after the calibration, as PNG.",
        ),
    ] = None,
) -> None:
    """Calibrate a pipeline's scores and find its operating points.

    The whole pipeline reads the raw texts of the gold documents. After that, about 80 % of the relations with a score
    of 0.8 are right, if the texts are like these. A pipeline that finds no entities is calibrated with gold entities.

    The operating points are the thresholds "precise", "balanced" and "complete". "precise" is the lowest threshold that
    has a precision of 0.82 on each of the data sets, and 0.75 in nine of ten samples of their documents. "balanced" has
    the best mean F1 of the sets. The threshold that the pipeline had before is replaced by "balanced".

    \b
    Examples:
      kgmrca calibrate training/model-best dev.spacy -o calibrated --plot reliability.png
      kgmrca calibrate my_pipeline news.spacy web.spacy -o calibrated --level document
    """
    import json

    from kgmrca.extraction.relations.calibration import draw, figure_class
    from kgmrca.extraction.relations.operating_points import calibrate

    check_folder(output)
    check_outputs([plot, scores], [*data, output, pipeline], what="read or written", takes=Path.exists)
    if output.exists() and not (output / "meta.json").is_file():
        raise InputError(f"'{output}' is there already and is no pipeline: name another folder.")
    if output.exists() and Path(pipeline).exists() and output.samefile(pipeline):
        raise InputError(f"'{output}' is the PIPELINE and would be overwritten: name another folder.")
    if plot:
        figure_class()  # says that matplotlib is missing before the work
    with opened_if_named(plot) as picture, opened_if_named(scores) as numbers:
        nlp = load_pipeline(pipeline)
        found = calibrate(nlp, data, level=level)
        if picture:
            draw(found.before, found.after, picture)
        if numbers:
            numbers.write(f"{json.dumps(found.plain(), indent=2)}\n".encode())
        vocab = load_pipeline(pipeline).vocab  # this pipeline's has the words of the gold documents now
        with whole_folder(output) as folder:
            nlp.to_disk(folder, exclude=["vocab"])
            vocab.to_disk(folder / "vocab")
    print(found.table())
