"""Fluentd: a configuration, and a filter in Ruby that it runs on every record."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from collectors.tagging.fluentd_sections import STATE, credential, sections
from collectors.tagging.header import header
from collectors.tagging.machines import drop_in, environment
from collectors.tagging.model import (
    JournalSource,
    OtlpSource,
    Plan,
    PodSource,
)
from collectors.tagging.ruby_program import OF_FLUENTD
from collectors.tagging.ruby_record import module
from collectors.tagging.shipping import (
    HOST,
    Reading,
    destination_notes,
    endpoint,
    left_out,
    readings,
)
from collectors.tagging.texts import comment

NAME = "Fluentd"

_PLAIN_UNIT = re.compile(r"[A-Za-z0-9:_.@-]+")
_FOLDER = "/etc/fluent"
_NEEDS = "Needs the gems fluent-plugin-elasticsearch, -systemd (journal) and -concat (pods)."


def files(plan: Plan) -> Mapping[str, str]:
    """The files for one environment; see docs/collectors/fluentd.md for what each is for."""
    if not plan.streams:
        return {}
    every = readings(plan)
    found, notes = _readable(every)
    name, default = endpoint(plan)
    about = header(
        plan,
        NAME,
        _NEEDS,
        *destination_notes(plan, NAME),
        *left_out(plan, {OtlpSource: "OTLP"}),
        *notes,
    )
    body = "\n".join("\n".join(each.lines()) + "\n" for each in sections(plan, found))
    return {
        "fluent.conf": comment(about) + body,
        "plugin/headroom_record.rb": comment(header(plan, NAME)) + module(plan, found, OF_FLUENTD),
        "plugin/filter_headroom.rb": comment(header(plan, NAME)) + _FILTER,
        "headroom.conf": drop_in(
            header(plan, NAME, "For /etc/systemd/system/fluentd.service.d/."),
            f"{_FOLDER}/headroom.env",
            [f"Environment={HOST}=%H", "StateDirectory=headroom-fluentd"],
        ),
        "headroom.env": environment(
            header(plan, NAME),
            {
                name: default,
                credential(plan): "none",
                "HEADROOMSTATE": STATE,
                "HEADROOM_SYSLOG_BIND": "127.0.0.1",
                "HEADROOM_SYSLOG_PORT": "5514",
            },
        ),
    }


def _readable(every: Sequence[Reading]) -> tuple[tuple[Reading, ...], tuple[str, ...]]:
    found, notes = [], []
    for reading in every:
        source = reading.source
        owner = f"{reading.stream.app}/{reading.stream.component.name}"
        if isinstance(source, PodSource) and source.labels and source.pods is None:
            notes.append(f"Not collected here: {owner} by pods, which only labels tell apart.")
        elif isinstance(source, JournalSource) and not _PLAIN_UNIT.fullmatch(source.unit):
            notes.append(f"Not collected here: the unit {source.unit}, whose name is a pattern.")
        else:
            found.append(reading)
    return tuple(found), tuple(notes)


_FILTER = r"""
require 'fluent/plugin/filter'
require_relative 'headroom_record'

module Fluent
  module Plugin
    # Every record as a document of its owner; see headroom_record.rb.
    class HeadroomFilter < Filter
      Fluent::Plugin.register_filter('headroom', self)

      config_param :rejected, :bool, default: false

      def filter(tag, time, record)
        return Headroom.rejected(record) if @rejected

        Headroom.of_fluentd(tag, time.to_r, record)
      end
    end
  end
end
"""
