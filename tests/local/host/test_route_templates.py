from collections.abc import Mapping

import pytest

from local.host.routes import InvalidRoute, Route


@pytest.mark.parametrize(
    ("template", "path", "parameters"),
    [
        ("registries", "registries", {}),
        ("registries", "Registries/", {}),
        ("registries", "registries/x", None),
        ("registries", "", None),
        ("", "", {}),
        ("a/{b}/c", "a/1/C", {"b": "1"}),
        ("a/{b}/c", "a//c", None),
        ("a/{b?}", "a", {}),
        ("a/{b?}", "a/x", {"b": "x"}),
        ("a/{b:int}", "a/12", {"b": "12"}),
        ("a/{b:int}", "a/x", None),
        ("a/{b:guid}", "a/0f8FAD5b-d9cb-469f-a165-70867728950e", {"b": "0f8FAD5b-d9cb-469f-a165-70867728950e"}),
        ("files/{*rest}", "files/a/b.txt", {"rest": "a/b.txt"}),
        ("files/{*rest}", "files", {"rest": ""}),
        ("a/{b}", "a/caf%C3%A9%20au%20lait", {"b": "café au lait"}),
        ("a/{b}", "a/x%2Fy", {"b": "x%2Fy"}),
        ("a/{b}", "a/x%2fy", {"b": "x%2fy"}),
    ],
)
def test_a_template_matches_a_path(template: str, path: str, parameters: Mapping[str, str] | None) -> None:
    assert Route.parse(template).match(path) == parameters


def test_the_more_precise_route_is_tried_first() -> None:
    templates = ["{*all}", "a/{b}", "a/{b:int}", "a/b"]

    ordered = sorted((Route.parse(template) for template in templates), key=lambda route: route.precedence)

    assert [route.template for route in ordered] == ["a/b", "a/{b:int}", "a/{b}", "{*all}"]


def test_two_routes_that_no_request_can_tell_apart_have_one_shape() -> None:
    assert Route.parse("A/{x}").shape == Route.parse("a/{y}").shape
    assert Route.parse("a/{x:int}").shape != Route.parse("a/{y}").shape


@pytest.mark.parametrize(
    ("template", "part"),
    [
        ("a/{b:regex(x)}", "the constraint regex"),
        ("a/{b:range(1,2)}", "the constraint range"),
        ("a/v{b}", "a form the local host does not know"),
        ("a/{b=1}", "a form the local host does not know"),
        ("a//b", "empty segment"),
        ("{*rest}/a", "before its last segment"),
        ("{x?}/a", "before its last segment"),
    ],
)
def test_a_template_beyond_this_host_is_refused(template: str, part: str) -> None:
    with pytest.raises(InvalidRoute, match=part):
        Route.parse(template)
