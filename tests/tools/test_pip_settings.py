"""What pip knows about mirrors reaches uv."""

from tools import pip_settings

LISTING = r"""
global.index-url='mirror://a/index'
global.timeout='60'
install.timeout='90'
global.extra-index-url='mirror://b\nmirror://c'
:env:.cert='ca.pem'
global.cert='older.pem'
list.format='columns'
"""


def test_a_variable_beats_a_section_beats_the_general_setting():
    settings = pip_settings.parse(LISTING)
    assert settings["cert"] == "ca.pem"
    assert settings["timeout"] == "90"
    assert "format" not in settings


def test_mirrors_certificate_and_patience_are_passed_on():
    for_uv = pip_settings.for_uv(pip_settings.parse(LISTING), {})
    assert for_uv == {
        "UV_DEFAULT_INDEX": "mirror://a/index",
        "UV_INDEX": "mirror://b mirror://c",
        "UV_HTTP_TIMEOUT": "90",
        "SSL_CERT_FILE": "ca.pem",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }


def test_what_the_user_set_for_uv_stays():
    present = {"UV_DEFAULT_INDEX": "mirror://mine"}
    assert "UV_DEFAULT_INDEX" not in pip_settings.for_uv(pip_settings.parse(LISTING), present)


def test_folders_that_do_not_exist_are_left_out(tmp_path):
    wheels, index = tmp_path / "wheels", tmp_path / "an index"
    wheels.mkdir()
    index.mkdir()
    gone = (tmp_path / "gone").as_uri()
    settings = {
        "find-links": f"{wheels} {tmp_path / 'gone'} {gone}",
        "extra-index-url": f"{gone} {index.as_uri()}",
    }
    for_uv = pip_settings.for_uv(settings, {})
    assert for_uv["UV_FIND_LINKS"] == str(wheels)
    assert for_uv["UV_INDEX"] == index.as_uri()


def test_no_settings_no_variables():
    assert set(pip_settings.for_uv({}, {})) == {"UV_INDEX_STRATEGY"}
