"""What `[[rules]]` and `[route]` hold, in Alertmanager's words where it has them."""

from collections.abc import Iterable
from datetime import timedelta
from difflib import get_close_matches
from typing import Any, Final

from jinja2 import TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment
from pydantic import BaseModel, ConfigDict, Field

from fleetpulse.alerting.condition import ConditionKind
from fleetpulse.alerting.labels import label_problem
from fleetpulse.alerting.matchers import parse_matcher
from fleetpulse.alerting.rules import DEFAULT_RULES
from fleetpulse.durations import Duration

_MODEL = ConfigDict(extra="forbid", frozen=True)
_EXPIRY_KNOWN: Final = timedelta(days=30)  # how long before its end a credential is first spoken of
_PARAMETERS: Final = {
    "count": ConditionKind.DEPLOYMENT_FAILED,
    "ratio": ConditionKind.DEPLOYMENT_FAILED,
    "after": ConditionKind.DEVICE_SILENT,
    "within": ConditionKind.CREDENTIALS_EXPIRING,
}
"""The keys that only rules of one condition may have."""
_ALL_LABELS = "..."  # Alertmanager's word in `group_by` for every label, that is one group per alert


class RuleSettings(BaseModel):
    """One `[[rules]]` entry: None is what it does not say, which a rule of the same name then keeps."""

    model_config = _MODEL

    name: str = Field(
        min_length=1,
        max_length=100,
        description="The alert's name. That of a default rule changes the keys given here and no other.",
    )
    when: ConditionKind | None = Field(default=None, description="What has to be wrong; a new rule needs it.")
    for_: Duration | None = Field(
        default=None, alias="for", description="How long it must be wrong before anyone is told; 0s at once."
    )
    keep_firing_for: Duration | None = Field(
        default=None, description="How long an alert goes on after its cause ended, so that flapping is one alert."
    )
    severity: str | None = Field(
        default=None, min_length=1, max_length=100, description="How bad: critical, warning, info, or a word of yours."
    )
    matchers: tuple[str, ...] | None = Field(
        default=None, max_length=100, description="""Only what fits all of these, like 'group=~"Lyon.*"'."""
    )
    labels: dict[str, str] | None = Field(default=None, max_length=50, description="Labels added to each alert.")
    annotations: dict[str, str] | None = Field(
        default=None, max_length=50, description="Texts of the message, as Jinja2 templates: summary, description, ..."
    )
    enabled: bool | None = Field(default=None, description="Whether the rule is judged at all.")
    count: int | None = Field(
        default=None, ge=1, description="deployment_failed: on how many devices it has failed at least."
    )
    ratio: float | None = Field(
        default=None, gt=0, le=1, description="deployment_failed: on which share of its devices, instead of count."
    )
    after: Duration | None = Field(
        default=None, description="device_silent: how long nothing was heard of a device; as usual for its vendor."
    )
    within: Duration | None = Field(
        default=None, description="credentials_expiring: how long before the end it is told, 30d at most."
    )

    def problems(self) -> list[tuple[str, str]]:
        """What is wrong in meaning, as (field, text that says the cure); an empty field speaks of the whole entry."""
        found = _matcher_problems(self.matchers or ())
        found += [(f"labels.{name}", text) for name in self.labels or () if (text := _rule_label_problem(name))]
        found += [
            (f"annotations.{name}", text)
            for name, template in (self.annotations or {}).items()
            if (text := _template_problem(template))
        ]
        if self.count is not None and self.ratio is not None:
            found.append(("ratio", "and 'count' are both given: keep one"))
        found += [
            (field, "must be longer than nothing")
            for field in ("after", "within")
            if getattr(self, field) == timedelta(0)
        ]
        if self.within is not None and self.within > _EXPIRY_KNOWN:
            found.append(("within", "must be 30d at most: that is how early it is known"))
        when = self.when or {rule.name: rule.when for rule in DEFAULT_RULES}.get(self.name)
        if when is None:
            found.append(("when", _missing_when(self.name)))
        else:
            found += [
                (field, f"is a parameter of {kind}, not of {when}")
                for field, kind in _PARAMETERS.items()
                if getattr(self, field) is not None and kind is not when
            ]
        return found

    def given(self) -> dict[str, Any]:
        """What the entry says besides its name, under the names that `Rule` has, with its matchers read.

        Errors: ValueError from a matcher that `problems` would have told.
        """
        fields = {name: getattr(self, name) for name in self.model_fields_set - {"name"}}
        said = {name: value for name, value in fields.items() if value is not None}
        if self.matchers is not None:
            said["matchers"] = tuple(parse_matcher(text) for text in self.matchers)
        return said


class RouteSettings(BaseModel):
    """`[route]` or one of its `[[route.routes]]`: None is what it does not say and inherits from the one above."""

    model_config = _MODEL

    receiver: str | None = Field(default=None, description="The name of the receiver that is told.")
    group_by: tuple[str, ...] | None = Field(
        default=None,
        max_length=50,
        description='The labels that alerts of one message share; ["..."] makes a message of each, [] one of all.',
    )
    group_wait: Duration | None = Field(
        default=None, description="How long a new group is collected before it is first told."
    )
    group_interval: Duration | None = Field(
        default=None, description="How long after a message the group's changes are told at the earliest."
    )
    repeat_interval: Duration | None = Field(
        default=None, description="How long after a message the group is told again although nothing changed."
    )
    matchers: tuple[str, ...] = Field(
        default=(),
        max_length=100,
        description="Which alerts take it: those that fit all; none in [route].",
    )
    continue_: bool = Field(
        default=False, alias="continue", description="Whether the routes after this one are tried too."
    )
    routes: tuple["RouteSettings", ...] = Field(
        default=(), max_length=500, description="Routes within this one; the first that fits takes the alert."
    )

    def problems(self) -> list[tuple[str, str]]:
        """What is wrong in meaning here, without the routes below, as (field, text that says the cure)."""
        found = _matcher_problems(self.matchers)
        if self.group_by is not None and _ALL_LABELS in self.group_by and len(self.group_by) > 1:
            found.append(("group_by", f'holds "{_ALL_LABELS}", which means every label, beside others'))
        found += [
            (field, "must be longer than nothing")
            for field in ("group_interval", "repeat_interval")
            if getattr(self, field) == timedelta(0)
        ]
        return found


def _matcher_problems(matchers: Iterable[str]) -> list[tuple[str, str]]:
    found = []
    for index, text in enumerate(matchers):
        try:
            parse_matcher(text)
        except ValueError as error:
            found.append((f"matchers.{index}", str(error)))
    return found


def _missing_when(name: str) -> str:
    text = f"is missing: a rule that is no default one needs it, one of {', '.join(ConditionKind)}"
    close = get_close_matches(name, [rule.name for rule in DEFAULT_RULES], n=1)
    return f"{text}; or did you mean the rule '{close[0]}'?" if close else text


def _rule_label_problem(name: str) -> str:
    return "is given by the key 'severity'" if name == "severity" else label_problem(name)


def _template_problem(template: str) -> str:
    try:
        SandboxedEnvironment(autoescape=False).parse(template)  # it is only read here, never rendered
    except TemplateSyntaxError as error:
        return f"is no Jinja2 template: line {error.lineno} of it has {_plain(error.message)}"
    except RecursionError:
        return "is a template nested too deep"
    return ""


def _plain(message: str | None) -> str:
    """Jinja2's words up to the first quote: what follows may repeat the template."""
    return (message or "an error").partition("'")[0].strip().rstrip(".:,") or "an error"
