"""Bodies that are wrong a great many times: what is told of them, and what that costs, stays small."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from lockleaf.wire.analytics import MetricBatch
from lockleaf.wire.base import Body
from lockleaf.wire.entries import PlainCreation
from lockleaf.wire.media import MediaDeclaration
from lockleaf.wire.search import MAX_EXPRESSIONS, BlindIndexSlice, BlindSearch
from lockleaf.wire.sync import Push

MANY = 5000


def errors_of(model: type[Body], body: dict[str, Any]) -> int:
    with pytest.raises(ValidationError) as caught:
        model.model_validate_json(json.dumps(body))
    return caught.value.error_count()


@pytest.mark.parametrize("wrong", [1, {}, [], None], ids=["number", "object", "array", "null"])
@pytest.mark.parametrize(
    ("model", "field"),
    [
        (Push, "changes"),
        (BlindIndexSlice, "documents"),
        (MediaDeclaration, "parts"),
        (PlainCreation, "tags"),
        (PlainCreation, "attachments"),
        (MetricBatch, "metrics"),
    ],
)
def test_a_list_that_is_wrong_throughout_is_told_by_its_first_wrong_item(
    model: type[Body], field: str, wrong: object
) -> None:
    assert errors_of(model, {field: [wrong] * MANY}) == errors_of(model, {field: [wrong]})


@pytest.mark.parametrize("field", ["tokens", "labels"])
def test_so_is_a_list_within_a_list(field: str) -> None:
    assert errors_of(Push, {"changes": [{field: [1] * MANY}] * 2}) == errors_of(Push, {"changes": [{field: [1]}]})


def test_the_first_wrong_item_is_named() -> None:
    with pytest.raises(ValidationError) as caught:
        PlainCreation.model_validate({"content": "", "tags": ["calm", "sea", 3, 4]})
    assert [error["loc"] for error in caught.value.errors()] == [("tags", 2)]


def test_an_expression_is_wrong_once_however_wide_and_deep_it_is() -> None:
    deep: dict[str, Any] = {"any": [1] * MANY}
    for _ in range(30):
        deep = {"any": [deep]}
    assert errors_of(BlindSearch, {"tokens": deep}) < 50


@pytest.mark.parametrize("within", [{"any": []}, {"none": [{"all": []}]}, {"some": 1}])
def test_of_an_expression_with_too_many_in_it_no_model_is_made(within: dict[str, Any]) -> None:
    assert errors_of(BlindSearch, {"tokens": {"all": [within] * MAX_EXPRESSIONS}}) == 1
