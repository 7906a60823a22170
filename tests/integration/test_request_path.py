from tests import request_path


def test_a_create_crosses_the_files_that_the_architecture_lists() -> None:
    assert request_path.section(request_path.crossed()) == request_path.listed(), "make docs"
