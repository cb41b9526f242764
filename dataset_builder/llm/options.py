"""The options of every command that asks an LLM behind a server: where, how fast, for how much."""

from collections.abc import Iterable
from dataclasses import MISSING, dataclass, field, fields
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Ge, Gt, Le

from trust.errors import UsageError

if TYPE_CHECKING:
    from dataset_builder.llm.requests import Server


OF_SERVERS = ("base_url", "request", "batch", "max_cost")  # that change nothing where no server is asked


@dataclass(kw_only=True)
class AskingOptions:
    """A command's `Options` are these and its own."""

    base_url: str = field(
        default="https://api.openai.com/v1",
        metadata={
            "help": "address of the LLM's server, http://…",
            "pattern": r"https?://\S+",
            "group": "the server of the LLM",
        },
    )
    revision: str | None = field(
        default=None, metadata={"help": "the LLM's revision, for the record", "group": "the server of the LLM"}
    )
    temperature: Annotated[float, Ge(0)] = field(
        default=0.0, metadata={"help": "sampling temperature of the LLM", "group": "the server of the LLM"}
    )
    max_tokens: Annotated[int, Ge(1)] = field(
        default=1024, metadata={"help": "longest reply of the LLM, tokens", "group": "the server of the LLM"}
    )
    request: dict[str, Any] = field(
        default_factory=dict,
        metadata={
            "help": "JSON: fields of the request that are added or replace ours; null leaves one out, for models that "
            'refuse it: \'{"max_completion_tokens": 2048, "temperature": null}\'',
            "group": "the server of the LLM",
        },
    )
    concurrency: Annotated[int, Ge(1), Le(4096)] = field(
        default=16, metadata={"help": "requests under way at once", "group": "the server of the LLM"}
    )
    requests_per_minute: Annotated[float, Gt(0)] | None = field(
        default=None, metadata={"help": "no more requests than that a minute", "group": "the server of the LLM"}
    )
    tokens_per_minute: Annotated[float, Gt(0)] | None = field(
        default=None,
        metadata={
            "help": "no more tokens, of prompts and replies, than that a minute",
            "group": "the server of the LLM",
        },
    )
    price_in: Annotated[float, Ge(0)] = field(
        default=0.0,
        metadata={"help": "money for a million tokens of prompts (--dry_run, --max_cost)", "group": "costs"},
    )
    price_out: Annotated[float, Ge(0)] = field(
        default=0.0, metadata={"help": "money for a million tokens of replies", "group": "costs"}
    )
    max_cost: Annotated[float, Ge(0)] | None = field(
        default=None,
        metadata={
            "help": "stop before this run costs more, at these prices; what was answered is kept",
            "group": "costs",
        },
    )
    batch: bool = field(
        default=False,
        metadata={
            "help": "ask through the server's Batch API: cheaper, answers within a day; run again to go on",
            "group": "the server of the LLM",
        },
    )
    retry_unparsable: bool = field(
        default=False,
        metadata={
            "help": "ask again what has a reply that cannot be read; without it no reply that was paid for is paid for "
            "again, unless the prompt, the model or, for one that was cut, --max_tokens changes",
            "group": "the server of the LLM",
        },
    )
    dry_run: bool = field(
        default=False, metadata={"help": "only say what is left: calls, tokens, time and, with prices, money"}
    )

    def check_asking(self) -> None:
        """Raises UsageError for options that contradict each other."""
        if self.max_cost is not None and not (self.price_in or self.price_out):
            raise UsageError("--max_cost needs --price_in and --price_out, the money for a million tokens")

    def given(self, names: Iterable[str]) -> list[str]:
        """Those of the options that do not have their default, as `--name`."""
        found = []
        for option in fields(self):
            default = option.default if option.default_factory is MISSING else option.default_factory()
            if option.name in names and getattr(self, option.name) != default:
                found.append(f"--{option.name}")
        return found

    def server(self, model: str, picture_tokens: float | None = None) -> "Server":
        """How the LLM of that name is asked; see `Server`."""
        from dataset_builder.llm.requests import Price, Server

        return Server(
            base_url=self.base_url,
            model=model,
            revision=self.revision,
            temperature=self.temperature,
            max_tokens=self.max_tokens,
            concurrency=self.concurrency,
            request=self.request,
            requests_per_minute=self.requests_per_minute,
            tokens_per_minute=self.tokens_per_minute,
            price=Price(self.price_in, self.price_out),
            max_cost=self.max_cost,
            picture_tokens=picture_tokens,
            retry_unparsable=self.retry_unparsable,
        )
