"""CloudWatch is asked through boto3; requests and answers are those of botocore's service model."""

import json
import sys
from collections.abc import Mapping, Sequence
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from collectors.readers.external.cloudwatch import CloudWatch, open_cloudwatch
from collectors.readers.external.port import Counted
from collectors.readers.prometheus import Clock
from slo.errors import AuthenticationFailed, QueryRejected, SourceTimeout, SourceUnavailable
from slo.units import Duration
from tests.servers.loopback import Asked, Loopback, Reply
from tests.servers.products import START, START_MS, STEP_MS, clock, source, steps

boto3 = import_module("boto3")
botocore_session = import_module("botocore.session")
validate = import_module("botocore.validate")

QUERY = "SUM(SEARCH('{AWS/ApplicationELB,TargetGroup} TargetGroup=\"tg/x\"', 'Sum', $period))"
SECRET = "wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": SECRET}
MODEL = botocore_session.Session().get_service_model("cloudwatch")
OPERATION = MODEL.operation_model("GetMetricData")


@pytest.fixture(autouse=True)
def _no_aws_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither files nor the cloud's own metadata may stand in for what a test gives."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / name))
    for name in (*KEYS, "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)


def known(value: object, shape: Any) -> None:
    """Assert that botocore's model knows every member of an answer."""
    if shape.type_name == "structure":
        assert isinstance(value, dict)
        assert set(value) <= set(shape.members)
        for name, each in value.items():
            known(each, shape.members[name])
    elif shape.type_name == "list":
        assert isinstance(value, list)
        for each in value:
            known(each, shape.member)
    elif shape.type_name == "string" and shape.enum:
        assert value in shape.enum


def series(
    values: Sequence[float | None], label: str = "requests", **more: object
) -> dict[str, Any]:
    """One series of an answer; moments stand in it as Unix seconds."""
    points = [(START_MS // 1000 + 300 * at, each) for at, each in enumerate(values)]
    kept = [(at, each) for at, each in points if each is not None]
    return {
        "Id": "headroom",
        "Label": label,
        "Timestamps": [at for at, _ in kept],
        "Values": [each for _, each in kept],
        "StatusCode": "Complete",
        **more,
    }


def answer(*results: Mapping[str, object], **more: object) -> Reply:
    """An answer of GetMetricData in the protocol that boto3 asks in."""
    body = {"MetricDataResults": list(results), "Messages": [], **more}
    known(body, OPERATION.output_shape)
    return Reply(
        body=json.dumps(body).encode(), headers={"Content-Type": "application/x-amz-json-1.0"}
    )


def refused(code: str, message: str, status: int = 400) -> Reply:
    """An error of AWS in the same protocol."""
    body = {"__type": f"com.amazonaws.cloudwatch#{code}", "message": message}
    return Reply(
        status=status,
        body=json.dumps(body).encode(),
        headers={"Content-Type": "application/x-amz-json-1.0"},
    )


def opened(url: str | None, environ: Mapping[str, str] = KEYS, **more: Any) -> CloudWatch:
    """CloudWatch on loopback."""
    settings = {"region": "eu-west-1", **more.pop("settings", {})}
    made = source("cloudwatch", url, settings=settings, **more)
    return open_cloudwatch(made, environ, clock())


def count(*replies: Reply, query: str = QUERY, number: int = 3, **more: Any) -> Counted:
    """What is counted from an answer."""
    with Loopback(replies) as server:
        return opened(server.url, **more).count(query, steps(number), within=20)


def request_of(asked: Asked) -> dict[str, Any]:
    """A request's parameters, which botocore's own validator takes."""
    assert "GraniteServiceVersion20100801.GetMetricData" == asked.headers["X-Amz-Target"]
    found: dict[str, Any] = json.loads(asked.body)
    report = validate.ParamValidator().validate(found, OPERATION.input_shape)
    assert not report.has_errors(), report.generate_report()
    assert set(found) <= set(OPERATION.input_shape.members)
    return found


class TestNumbers:
    def test_steps_are_counted_exactly(self) -> None:
        """Down to the decimals; a step without a point is no zero."""
        counted = count(answer(series([12.1, None, 0])))
        assert Counted(numbers=(Fraction("12.1"), None, Fraction(0))) == counted

    def test_series_are_added_up(self) -> None:
        """A search finds one for each load balancer."""
        counted = count(answer(series([1, None, 0.1], "a"), series([2, 5, 0.2], "b")))
        assert (Fraction(3), Fraction(5), Fraction("0.3")) == counted.numbers

    def test_no_series_at_all_are_steps_without_numbers(self) -> None:
        """Nobody asked for anything, or the name is wrong."""
        assert Counted(numbers=(None, None, None)) == count(answer())

    def test_points_elsewhere_than_asked_are_refused(self) -> None:
        """Such as those of a minute, where five were asked."""
        odd = series([1]) | {"Timestamps": [START_MS // 1000 + 60]}
        with pytest.raises(QueryRejected, match="where no step of 5m begins"):
            count(answer(odd))

    def test_a_quotient_of_nothing_is_a_step_without_a_number(self) -> None:
        """CloudWatch says that it dropped it, which is no lack of data."""
        told = {"Code": "ArithmeticError", "Value": "dropped due to non-numeric values (NaN)"}
        counted = count(answer(series([0.5, None, 0.25], Messages=[told])))
        assert Counted(numbers=(Fraction(1, 2), None, Fraction(1, 4))) == counted


class TestRequests:
    def test_a_request_asks_for_the_steps(self) -> None:
        """Signed for the region, with the step's seconds as the period."""
        with Loopback([answer()]) as server:
            opened(server.url).count(QUERY, steps(3), within=20)
        (asked,) = server.asked
        found = request_of(asked)
        (query,) = found["MetricDataQueries"]
        assert QUERY.replace("$period", "300") == query["Expression"]
        assert 300 == query["Period"]
        assert (START_MS / 1000, (START_MS + 3 * STEP_MS) / 1000) == (
            found["StartTime"],
            found["EndTime"],
        )
        signature = asked.headers["Authorization"]
        assert signature.startswith("AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/")
        assert "/eu-west-1/monitoring/aws4_request" in signature

    def test_all_pages_are_read(self) -> None:
        """What the first calls partial, the second completes."""
        first = answer(
            series([1, None, None], "a", StatusCode="PartialData"),
            series([10, 10, 10], "b"),
            NextToken="more",
        )
        with Loopback([first, answer(series([None, 2, 3], "a"))]) as server:
            counted = opened(server.url).count(QUERY, steps(3), within=20)
        assert Counted(numbers=(Fraction(11), Fraction(12), Fraction(13))) == counted
        assert [None, "more"] == [request_of(each).get("NextToken") for each in server.asked]

    def test_many_steps_are_asked_in_parts(self) -> None:
        """A thousand at once; the last one ends where all end."""
        with Loopback([answer()]) as server:
            counted = opened(server.url).count(QUERY, steps(2500), within=20)
        found = [request_of(each) for each in server.asked]
        assert 2500 == len(counted.numbers)
        assert [1000, 1000, 500] == [
            round((each["EndTime"] - each["StartTime"]) / 300) for each in found
        ]
        assert START_MS / 1000 + 2500 * 300 == found[-1]["EndTime"]

    def test_a_search_with_its_own_period_is_refused(self) -> None:
        """Hours would be taken for five minutes."""
        with Loopback([answer()]) as server:
            with pytest.raises(QueryRejected) as caught:
                opened(server.url).count("SUM(SEARCH('{x} y', 'Sum', 3600))", steps(3), within=9)
            assert [] == server.asked
        assert caught.value.hint is not None
        assert "$period" in caught.value.hint

    def test_nothing_is_sent_before_something_is_asked(self) -> None:
        """Opening a source does not even look for credentials."""
        with Loopback([answer()]) as server:
            opened(server.url, {})
            assert [] == server.asked


class TestPartialAnswers:
    @pytest.mark.parametrize("status", ["PartialData", "InternalError"])
    def test_a_series_that_stays_unfinished_is_told(self, status: str) -> None:
        """A math expression gives no token to go on with."""
        counted = count(answer(series([1, 2], StatusCode=status)))
        assert (Fraction(1), Fraction(2), None) == counted.numbers
        assert (f"CloudWatch says {status} of requests",) == counted.lacking

    def test_messages_are_told(self) -> None:
        """As much of the operation as possible is still executed then."""
        told = [{"Code": "MaxMetricsExceeded", "Value": "Maximum number of allowed metrics"}]
        counted = count(answer(series([1, 2, 3]), Messages=told))
        assert (
            "CloudWatch says: MaxMetricsExceeded: Maximum number of allowed metrics",
        ) == counted.lacking

    def test_a_forbidden_series_is_an_error(self) -> None:
        """Another account's metrics."""
        with pytest.raises(AuthenticationFailed, match="refuses to show requests"):
            count(answer(series([], StatusCode="Forbidden")))


class TestErrors:
    def test_throttling_passes(self) -> None:
        """boto3 itself asks again."""
        with Loopback([refused("Throttling", "Rate exceeded"), answer(series([1]))]) as server:
            counted = opened(server.url).count(QUERY, steps(1), within=20)
            assert 2 == len(server.asked)
        assert (Fraction(1),) == counted.numbers

    def test_throttling_for_good_is_told_after_as_many_tries_as_the_source_says(self) -> None:
        """And no more are made."""
        with Loopback([refused("Throttling", "Rate exceeded")]) as server:
            with pytest.raises(SourceUnavailable) as caught:
                opened(server.url, retries=1).count(QUERY, steps(1), within=20)
            assert 2 == len(server.asked)
        assert "cloudwatch/main: AWS limits requests: Throttling: Rate exceeded" == str(
            caught.value
        )

    def test_retries_do_not_outlast_the_time_that_is_left(self) -> None:
        """The reading goes on without CloudWatch."""
        with Loopback([Reply(delay=3)]) as server:
            made = open_cloudwatch(
                source("cloudwatch", server.url, settings={"region": "eu-west-1"}), KEYS, Clock()
            )
            with pytest.raises(SourceTimeout):
                made.count(QUERY, steps(1), within=0.5)

    def test_an_answer_that_does_not_come_is_a_timeout(self) -> None:
        """The source's own timeout holds for each try."""
        with pytest.raises(SourceTimeout, match="no answer in time"):
            count(Reply(delay=3), timeout=Duration.parse("300ms"), retries=0)

    @pytest.mark.parametrize(
        ("code", "status"),
        [("UnrecognizedClientException", 400), ("AccessDenied", 403), ("ExpiredToken", 400)],
    )
    def test_wrong_credentials_are_told_without_them(self, code: str, status: int) -> None:
        """Even where AWS quotes them."""
        words = f"The security token {SECRET} of AKIAIOSFODNN7EXAMPLE is invalid."
        with pytest.raises(AuthenticationFailed) as caught:
            count(refused(code, words, status))
        said = f"{caught.value} {caught.value.hint}"
        assert f"refused the credentials: {code}: The security token *** of ***" in said
        assert SECRET not in said

    def test_a_refused_query_is_told_in_the_words_of_aws(self) -> None:
        """As for an expression that is none."""
        with pytest.raises(QueryRejected, match="Error in expression 'headroom': Syntax"):
            count(refused("ValidationError", "Error in expression 'headroom': Syntax"))

    def test_an_error_of_aws_is_told(self) -> None:
        """After as many tries."""
        with pytest.raises(SourceUnavailable, match="AWS answered 500"):
            count(refused("InternalServiceFault", "oops", 500), retries=0)

    @pytest.mark.parametrize("body", [b"<html>login</html>", b'{"MetricDataResults": [', b"[1]"])
    def test_an_answer_that_is_none_of_cloudwatch_is_told(self, body: bytes) -> None:
        """A proxy in between."""
        with pytest.raises(SourceUnavailable, match=r"^cloudwatch/main: the answer "):
            count(Reply(body=body), retries=0)

    def test_a_server_that_does_not_run_is_told(self) -> None:
        """With what to look at."""
        with Loopback([answer()]) as server:
            url = server.url
        with pytest.raises(SourceUnavailable, match=r"^cloudwatch/main: cannot be reached"):
            opened(url, retries=0).count(QUERY, steps(1), within=20)

    def test_no_credentials_are_told(self) -> None:
        """Where AWS's own tools find none either."""
        with pytest.raises(AuthenticationFailed, match="there are no AWS credentials"):
            count(answer(), environ={})

    def test_an_unknown_profile_is_told(self) -> None:
        """By its name."""
        with pytest.raises(AuthenticationFailed, match="nobody"):
            count(answer(), settings={"profile": "nobody"})

    def test_a_missing_boto3_is_told_with_what_to_install(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is an extra; nothing else of Headroom needs it."""
        monkeypatch.setitem(sys.modules, "botocore.exceptions", None)
        with pytest.raises(SourceUnavailable, match="boto3 is not installed") as caught:
            count(answer())
        assert "pip install 'headroom[cloudwatch]'" == caught.value.hint


class TestCredentials:
    def test_a_profile_is_read_from_the_shared_file(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """It goes before keys of the environment, as it was named."""
        file = tmp_path / "credentials"
        file.write_text("[slo]\naws_access_key_id = AKIDPROFILE\naws_secret_access_key = s\n")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
        with Loopback([answer()]) as server:
            opened(server.url, settings={"profile": "slo"}).count(QUERY, steps(1), within=20)
        assert "Credential=AKIDPROFILE/" in server.asked[0].headers["Authorization"]

    def test_a_role_is_assumed_once_while_its_keys_last(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By STS, with the external id; anew five minutes before the keys expire."""
        replies = [_role("2026-11-21T07:00:00Z"), answer(), answer()]
        again = [_role("2026-11-21T06:04:00Z"), answer(), _role("2026-11-21T07:00:00Z"), answer()]
        role = {"roleArn": "arn:aws:iam::123456789012:role/reader", "externalId": "xid"}
        for script, actions in ((replies, [True, False, False]), (again, [True, False] * 2)):
            with Loopback(script) as server:
                monkeypatch.setenv("AWS_ENDPOINT_URL_STS", server.url)
                made = opened(server.url, settings=role)
                made.count(QUERY, steps(1), within=20)
                made.count(QUERY, steps(1), within=20)
            assert actions == [each.form.get("Action") == "AssumeRole" for each in server.asked]
            assert ("xid", "headroom") == (
                server.asked[0].form["ExternalId"],
                server.asked[0].form["RoleSessionName"],
            )
            assert "Credential=ASIAROLE/" in server.asked[1].headers["Authorization"]
            assert "role-token" == server.asked[1].headers["X-Amz-Security-Token"]

    def test_the_region_may_stand_in_the_environment(self) -> None:
        """As it does for AWS's own tools."""
        with Loopback([answer()]) as server:
            made = source("cloudwatch", server.url)
            environ = {**KEYS, "AWS_DEFAULT_REGION": "ap-south-1"}
            open_cloudwatch(made, environ, clock()).count(QUERY, steps(1), within=20)
            with pytest.raises(SourceUnavailable, match="no AWS region is named"):
                open_cloudwatch(made, KEYS, clock()).count(QUERY, steps(1), within=20)
        assert "/ap-south-1/monitoring/" in server.asked[0].headers["Authorization"]


def _role(expiration: str) -> Reply:
    """An answer of STS, in the shape of its documentation's example."""
    assert START.isoformat() < expiration
    body = f"""<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
      <AssumeRoleResult><Credentials>
        <AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>role-secret</SecretAccessKey>
        <SessionToken>role-token</SessionToken><Expiration>{expiration}</Expiration>
      </Credentials></AssumeRoleResult></AssumeRoleResponse>"""
    return Reply(body=body.encode(), headers={"Content-Type": "text/xml"})
