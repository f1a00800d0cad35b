"""The description is made from the routes: nothing is left out, and nothing unknown gets in."""

from __future__ import annotations

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from recipient.openapi import document


async def nothing(_request: Request) -> Response:
    return Response()


def test_each_method_of_each_route_is_described_with_its_path_parameters() -> None:
    routes = [
        Route("/portal/patient/{handle}/record/{id:int}", nothing, methods=["GET", "POST"]),
        Route("/fhir/{type}", nothing, methods=["GET"]),
        Route("/fhir/{rest:path}", nothing, methods=["GET"]),
    ]
    paths = document(routes)["paths"]
    assert paths.keys() == {"/portal/patient/{handle}/record/{id}", "/fhir/{type}"}
    page = paths["/portal/patient/{handle}/record/{id}"]
    assert page.keys() == {"get", "post"}
    assert [one["schema"]["type"] for one in page["get"]["parameters"]] == ["string", "integer"]
    assert page["post"]["requestBody"]["required"]
    assert page["get"]["security"] == [{"session": []}]
    assert paths["/fhir/{type}"]["get"]["security"] == [{"program": []}]


def test_a_route_that_nothing_describes_is_a_mistake() -> None:
    with pytest.raises(ValueError):
        document([Route("/elsewhere", nothing)])
    with pytest.raises(TypeError):
        document([Mount("/portal", routes=[])])
