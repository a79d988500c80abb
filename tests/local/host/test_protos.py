import pytest

from local.host.protos import ParameterBinding, RpcHttpCookie, TypedData


@pytest.mark.parametrize("kind", sorted(TypedData.FIELDS))
def test_typed_data_tells_which_of_its_fields_is_set(kind: str) -> None:
    data = TypedData(**{kind: "value"})

    assert data.WhichOneof("data") == kind
    assert data.value == "value"
    for other in ("string", "json", "bytes", "http"):
        assert getattr(data, other) == ("value" if other == kind else None)


def test_empty_typed_data_has_nothing_set() -> None:
    assert TypedData().WhichOneof("data") is None


def test_typed_data_refuses_two_fields_and_unknown_ones() -> None:
    with pytest.raises(TypeError, match="TypedData takes one of"):
        TypedData(string="a", json="b")
    with pytest.raises(TypeError, match="not \\['stream'\\]"):
        TypedData(stream="a")


def test_an_unknown_group_is_an_error_as_in_protobuf() -> None:
    with pytest.raises(ValueError, match="has no group 'x'"):
        TypedData().WhichOneof("x")
    with pytest.raises(ValueError, match="has no group 'data'"):
        ParameterBinding(name="p", data=None).WhichOneof("data")


def test_the_worker_must_not_mistake_typed_data_for_a_namespace() -> None:
    assert not hasattr(TypedData(string="a"), "TypedData")


def test_a_cookie_without_same_site_has_the_contracts_default() -> None:
    assert getattr(RpcHttpCookie.SameSite, "None") == 0
