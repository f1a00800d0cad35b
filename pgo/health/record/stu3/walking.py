"""Walk one STU3 object and build its R4 counterpart, element by element, by the rules of the tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pgo.health.record.stu3.forms import change_form, coded, consent_scopes, coverage_class
from pgo.health.record.stu3.source import Element, elements_of
from pgo.health.record.stu3.tables import (
    KEPT_URL,
    NotConvertible,
    Rule,
    moved_system,
    r4_type,
    renamed_types,
    required_in_stu3,
    resource_targets,
    rules_of,
    stu3_type,
    target_type,
)
from pgo.health.record.stu3.target import Item, Target

# Primitive types that R4 narrowed or renamed without touching the values, with what must hold for a value.
_SAME_VALUE = {
    ("string", "markdown"), ("uri", "url"), ("uri", "canonical"), ("positiveInt", "unsignedInt"),
    ("unsignedInt", "decimal"),
}  # fmt: skip
_OF_THE_PART = ("id", "extension", "modifierExtension")
_AT_LEAST_ONE = ("integer", "positiveInt")


def convert_resource(body: Mapping[str, Any]) -> dict[str, Any]:
    """Give the R4 form of a resource; contained ones come by here as well."""
    kind = body.get("resourceType")
    if not isinstance(kind, str) or kind not in resource_targets():
        raise NotConvertible("unsupported_type", "resourceType")
    members = {name: value for name, value in body.items() if name != "resourceType"}
    made = _convert(members, kind, resource_targets()[kind], kind)
    return {"resourceType": resource_targets()[kind], **made}


def _convert(source: Mapping[str, Any], kind: str, made_kind: str, path: str) -> dict[str, Any]:
    target = Target(made_kind)
    fill(target, source, kind, path)
    _finish(target, source, kind, path)
    return target.emit(demanded=required_in_stu3(kind))


def fill(target: Target, source: Mapping[str, Any], kind: str, path: str) -> None:
    """Bring the elements of one STU3 object into an R4 object."""
    for element in _elements(source, kind, path):
        rule = rules_of(kind).get(element.name)
        if rule is None:
            _travel(target, element, Rule(element.name))
        elif rule.flag is not None:
            _flag(target, element, rule)
        elif rule.coverage_class:
            target.put("class", coverage_class(source, element, rule))
        elif rule.spread:
            for item in element.items:
                _spread(target, item.value, element)
        elif rule.split is not None:
            _split(target, element, rule.split)
        elif rule.keep:
            if not _named_by_sibling(element, source, kind):
                _keep(target, element, element.items, modifier=rule.modifier)
        elif rule.unless and rule.unless in source:
            _keep(target, element, element.items)
        else:
            _travel(target, element, rule)


def _elements(source: Mapping[str, Any], kind: str, path: str) -> Iterator[Element]:
    """Give the elements of an object, what stands beside a primitive converted already."""
    for element in elements_of(source, kind, path):
        if element.primitive and any(item.twin for item in element.items):
            items = [Item(item.value, _beside(item.twin)) for item in element.items]
            element = replace(element, items=items)
        yield element


def _beside(twin: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    return None if twin is None else _convert(twin, "Element", "Element", "Element")


def _spread(target: Target, source: Mapping[str, Any], element: Element) -> None:
    """Bring the children of a part to the parent. What is about the part itself is kept under its path."""
    own = {name: value for name, value in source.items() if name.removeprefix("_") in _OF_THE_PART}
    fill(
        target, {name: value for name, value in source.items() if name not in own}, element.kind, element.path
    )
    for part in _elements(own, element.kind, element.path):
        if part.name == "extension":
            made = [_convert(item.value, "Extension", "Extension", "Extension") for item in part.items]
            target.keep([{"url": KEPT_URL + element.path, "extension": made}])
        else:
            _keep(target, part, part.items, modifier=part.name == "modifierExtension")


def _named_by_sibling(element: Element, source: Mapping[str, Any], kind: str) -> bool:
    """Say whether another element of the object has taken this one along (the name of a coverage class)."""
    return any(rule.name == element.name and other in source for other, rule in rules_of(kind).items())


def _travel(target: Target, element: Element, rule: Rule) -> None:
    """Bring the items to their R4 element; keep those that do not fit."""
    place = target.within(rule.into) if rule.into else target
    fitting: list[Item] = []
    left: list[Item] = []
    for item in element.items:
        made = _made(place, element, rule, item)
        (fitting if made is not None else left).append(made or item)
        if rule.also is not None and (second := _made(target, element, rule.also, item)) is not None:
            target.put(rule.also.to, [second])
        if made is not None and item.value in rule.blurred:
            left.append(item)
    if fitting and not place.put(rule.to, fitting):
        overflowed = bool(rule.overflow) and place.put(rule.overflow, fitting)
        if not overflowed:
            left = list(element.items)
    if left:
        _keep(target, element, left, modifier=rule.modifier)


def _made(place: Target, element: Element, rule: Rule, item: Item) -> Item | None:
    """Give the R4 form of one item, or ``None`` when it has none."""
    spec = place.spec(rule.to)
    if spec is None:
        return None
    if rule.codes is not None:
        return coded(item, rule)
    if rule.only and not _refers_to(item.value, rule.only):
        return None
    if rule.form:
        return change_form(rule.form, item)
    if element.primitive:
        return item if spec.primitive and _fits(element.kind, spec.kind, item.value) else None
    return _object(element, item, spec.kind)


def _object(element: Element, item: Item, made_kind: str) -> Item | None:
    if element.kind == "Resource":
        return Item(convert_resource(item.value))
    if target_type(element.kind) != made_kind:
        return None
    return Item(_convert(item.value, element.kind, made_kind, _path_of(element)))


def _path_of(element: Element) -> str:
    """Parts of a resource continue its path; a data type starts one of its own."""
    return element.path if element.is_part else element.kind


def _fits(kind: str, made_kind: str, value: Any) -> bool:
    if kind == made_kind or (kind, made_kind) in _SAME_VALUE:
        return True
    return (kind, made_kind) == _AT_LEAST_ONE and isinstance(value, int) and value > 0


def _refers_to(value: Any, kind: str) -> bool:
    reference = value.get("reference") if isinstance(value, Mapping) else None
    return isinstance(reference, str) and f"/{reference}".rpartition("/")[0].endswith(f"/{kind}")


def _flag(target: Target, element: Element, rule: Rule) -> None:
    """A boolean that R4 says by the status. ``false`` is what the status says already."""
    for item in element.items:
        if not rule.when and not isinstance(item.value, bool | None):
            raise NotConvertible("bad_structure", element.path)
        says_so = item.value == rule.when if rule.when else item.value is True
        if says_so:
            target.overrides.update(rule.flag or {})
        if rule.keep or item.twin is not None or item.value is None:
            _keep(target, element, [item])


def _split(target: Target, element: Element, split: Mapping[str, Any]) -> None:
    """Sort items by a code of their own; one with more to it than code and target is kept whole."""
    for item in element.items:
        parts = {part.name: part for part in _elements(item.value, element.kind, element.path)}
        code, taken = parts.pop(split["by"], None), parts.pop(split["take"], None)
        name = (
            split["to"].get(code.items[0].value) if code is not None and code.items[0].twin is None else None
        )
        if name is None or taken is None or parts:
            _keep(target, element, [item])
        else:
            target.put(name, [Item(_convert(taken.items[0].value, taken.kind, taken.kind, taken.kind))])


def _finish(target: Target, source: Mapping[str, Any], kind: str, path: str) -> None:
    """Do what depends on several elements at once."""
    for name, value in target.overrides.items():
        _override(target, name, value, kind, path)
    if kind == "Coding" or kind == "Reference":
        _readdress(target, kind)
    if kind == "QuestionnaireItemEnableWhen":
        target.put("operator", [Item("exists" if "hasAnswer" in source else "=")])
    # STU3 shows an item when any condition holds; R4 wants that said as soon as there are two.
    # https://hl7.org/fhir/STU3/questionnaire-definitions.html#Questionnaire.item.enableWhen
    if kind == "QuestionnaireItem" and len(target.elements.get("enableWhen", ())) > 1:
        target.put("enableBehavior", [Item("any")])
    if kind == "Consent":
        scopes = consent_scopes(source)
        if len(scopes) == 1:
            target.put("scope", [Item(scopes[0])])
    if kind == "ImmunizationRecommendation":
        dates = [item.get("date") for item in source.get("recommendation", ())]
        if dates and isinstance(dates[0], str) and all(date == dates[0] for date in dates):
            target.put("date", [Item(dates[0])])


def _override(target: Target, name: str, value: str, kind: str, path: str) -> None:
    """Set a status that another element decides; the source's own word is kept, an error stays an error."""
    present = target.elements.get(name, [])
    if any(item.value == "entered-in-error" for item in present):
        raise NotConvertible("stu3_ambiguous", f"{path}.{name}")
    if present:
        spec = stu3_type(kind)[name]
        kept = Element(name, spec.kind, f"{path}.{name}", present, is_part=False)
        _keep(target, kept, present)
    target.elements[name] = [Item(value)]


def _readdress(target: Target, kind: str) -> None:
    name = "system" if kind == "Coding" else "reference"
    item = next(iter(target.elements.get(name, ())), None)
    if item is None or not isinstance(item.value, str):
        return
    value = moved_system(item.value) if kind == "Coding" else _retyped(item.value)
    target.elements[name] = [Item(value, item.twin)]


def _retyped(reference: str) -> str:
    """Give a relative reference the new name of its target's type; addresses of servers stay."""
    kind, slash, rest = reference.partition("/")
    return f"{renamed_types().get(kind, kind)}{slash}{rest}"


def _keep(target: Target, element: Element, items: list[Item], *, modifier: bool = False) -> None:
    if modifier:
        raise NotConvertible("stu3_ambiguous", element.path)
    target.keep(
        extension for item in items for extension in _extensions(element, item, KEPT_URL + element.path)
    )


def _extensions(element: Element, item: Item, url: str) -> Iterator[dict[str, Any]]:
    """Write one item as an extension; an object that no extension can hold becomes a nested one."""
    name = f"value{element.kind[0].upper()}{element.kind[1:]}"
    if name not in r4_type("Extension"):
        parts = [
            extension
            for part in _elements(item.value, element.kind, element.path)
            for inner in part.items
            for extension in _extensions(part, inner, part.name)
        ]
        if parts:
            yield {"url": url, "extension": parts}
        return
    if element.primitive:
        values = {name: item.value, f"_{name}": item.twin}
        yield {"url": url, **{key: value for key, value in values.items() if value is not None}}
        return
    yield {"url": url, name: _convert(item.value, element.kind, element.kind, element.kind)}
