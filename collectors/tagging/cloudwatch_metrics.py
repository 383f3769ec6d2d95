"""Metrics of CloudWatch that are worth their price, by namespace and by what is asked about."""

from __future__ import annotations

from collections.abc import Mapping

from slo.records import dataclass

SUM, AVERAGE, MAXIMUM = "Sum", "Average", "Maximum"
_MINIMUM, _P99 = "Minimum", "p99"

Metrics = Mapping[str, tuple[str, ...]]
"""Statistics by metric."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A namespace of CloudWatch.

    ``parts`` maps names of shares, plain and lower-case, to the dimension that holds them;
    ``by_part`` are the metrics that have such a dimension. ``period`` is in seconds.
    """

    metrics: Metrics
    parts: Mapping[str, str] | None = None
    by_part: Metrics | None = None
    period: int = 60


_TARGETS = {
    "RequestCount": (SUM,),
    "TargetResponseTime": (AVERAGE, _P99),
    "HTTPCode_Target_2XX_Count": (SUM,),
    "HTTPCode_Target_3XX_Count": (SUM,),
    "HTTPCode_Target_4XX_Count": (SUM,),
    "HTTPCode_Target_5XX_Count": (SUM,),
    "TargetConnectionErrorCount": (SUM,),
}
_HEALTH = {"HealthyHostCount": (_MINIMUM,), "UnHealthyHostCount": (MAXIMUM,)}
_BROKER_QUEUE = {"MessageCount": (MAXIMUM,), "MessageReadyCount": (MAXIMUM,)}

SERVICES: Mapping[str, Service] = {
    "AWS/ApplicationELB": Service(
        metrics={
            **_TARGETS,
            "HTTPCode_ELB_4XX_Count": (SUM,),
            "HTTPCode_ELB_5XX_Count": (SUM,),
            "ActiveConnectionCount": (SUM,),
            "RejectedConnectionCount": (SUM,),
            "ClientTLSNegotiationErrorCount": (SUM,),
            "ProcessedBytes": (SUM,),
        },
        parts={"targetgroup": "TargetGroup"},
        by_part={**_TARGETS, **_HEALTH, "RequestCountPerTarget": (SUM,)},
    ),
    "AWS/NetworkELB": Service(
        metrics={
            "ActiveFlowCount": (AVERAGE,),
            "NewFlowCount": (SUM,),
            "ProcessedBytes": (SUM,),
            "TCP_Client_Reset_Count": (SUM,),
            "TCP_ELB_Reset_Count": (SUM,),
            "TCP_Target_Reset_Count": (SUM,),
            "PortAllocationErrorCount": (SUM,),
        },
        parts={"targetgroup": "TargetGroup"},
        by_part=_HEALTH,
    ),
    "AWS/ELB": Service(
        metrics={
            "RequestCount": (SUM,),
            "Latency": (AVERAGE, _P99),
            "HTTPCode_Backend_2XX": (SUM,),
            "HTTPCode_Backend_4XX": (SUM,),
            "HTTPCode_Backend_5XX": (SUM,),
            "HTTPCode_ELB_4XX": (SUM,),
            "HTTPCode_ELB_5XX": (SUM,),
            "BackendConnectionErrors": (SUM,),
            "SurgeQueueLength": (MAXIMUM,),
            "SpilloverCount": (SUM,),
            **_HEALTH,
        }
    ),
    "AWS/RDS": Service(
        metrics={
            "CPUUtilization": (AVERAGE, MAXIMUM),
            "DatabaseConnections": (AVERAGE, MAXIMUM),
            "FreeableMemory": (_MINIMUM,),
            "FreeStorageSpace": (_MINIMUM,),
            "ReadLatency": (AVERAGE,),
            "WriteLatency": (AVERAGE,),
            "ReadIOPS": (AVERAGE,),
            "WriteIOPS": (AVERAGE,),
            "DiskQueueDepth": (AVERAGE,),
            "ReplicaLag": (MAXIMUM,),
        }
    ),
    "AWS/ElastiCache": Service(
        metrics={
            "CPUUtilization": (AVERAGE, MAXIMUM),
            "EngineCPUUtilization": (AVERAGE, MAXIMUM),
            "FreeableMemory": (_MINIMUM,),
            "CurrConnections": (MAXIMUM,),
            "CacheHits": (SUM,),
            "CacheMisses": (SUM,),
            "Evictions": (SUM,),
            "ReplicationLag": (MAXIMUM,),
        }
    ),
    "AWS/DocDB": Service(
        metrics={
            "CPUUtilization": (AVERAGE, MAXIMUM),
            "DatabaseConnections": (MAXIMUM,),
            "FreeableMemory": (_MINIMUM,),
            "ReadLatency": (AVERAGE,),
            "WriteLatency": (AVERAGE,),
        }
    ),
    "AWS/Kafka": Service(
        metrics={
            "CpuUser": (AVERAGE,),
            "CpuSystem": (AVERAGE,),
            "KafkaDataLogsDiskUsed": (MAXIMUM,),
            "MemoryFree": (_MINIMUM,),
            "UnderReplicatedPartitions": (MAXIMUM,),
            "OfflinePartitionsCount": (MAXIMUM,),
            "ActiveControllerCount": (MAXIMUM,),
            "BytesInPerSec": (AVERAGE,),
            "BytesOutPerSec": (AVERAGE,),
        },
        parts={"topic": "Topic", "consumergroup": "Consumer Group"},
        by_part={
            "BytesInPerSec": (AVERAGE,),
            "BytesOutPerSec": (AVERAGE,),
            "MessagesInPerSec": (AVERAGE,),
            "SumOffsetLag": (MAXIMUM,),
            "MaxOffsetLag": (MAXIMUM,),
        },
    ),
    "AWS/AmazonMQ": Service(
        metrics={
            "CpuUtilization": (AVERAGE,),
            "ConnectionCount": (MAXIMUM,),
            "ConsumerCount": (MAXIMUM,),
            "MessageCount": (MAXIMUM,),
        },
        parts={"queue": "Queue", "vhost": "VirtualHost"},
        by_part={**_BROKER_QUEUE, "ConsumerCount": (MAXIMUM,)},
    ),
    "AWS/SQS": Service(
        metrics={
            "NumberOfMessagesSent": (SUM,),
            "NumberOfMessagesReceived": (SUM,),
            "NumberOfMessagesDeleted": (SUM,),
            "ApproximateNumberOfMessagesVisible": (MAXIMUM,),
            "ApproximateNumberOfMessagesNotVisible": (MAXIMUM,),
            "ApproximateAgeOfOldestMessage": (MAXIMUM,),
        },
        parts={"queue": "QueueName"},
        period=300,
    ),
    "AWS/DynamoDB": Service(
        metrics={
            "ConsumedReadCapacityUnits": (SUM,),
            "ConsumedWriteCapacityUnits": (SUM,),
            "ThrottledRequests": (SUM,),
            "ReadThrottleEvents": (SUM,),
            "WriteThrottleEvents": (SUM,),
        },
        parts={"table": "TableName"},
    ),
    "AWS/Lambda": Service(
        metrics={
            "Invocations": (SUM,),
            "Errors": (SUM,),
            "Throttles": (SUM,),
            "Duration": (AVERAGE, _P99),
            "ConcurrentExecutions": (MAXIMUM,),
        }
    ),
    "AWS/ApiGateway": Service(
        metrics={
            "Count": (SUM,),
            "4XXError": (SUM,),
            "5XXError": (SUM,),
            "Latency": (AVERAGE, _P99),
            "IntegrationLatency": (AVERAGE,),
        }
    ),
    "AWS/EC2": Service(
        metrics={
            "CPUUtilization": (AVERAGE, MAXIMUM),
            "NetworkIn": (SUM,),
            "NetworkOut": (SUM,),
            "StatusCheckFailed": (MAXIMUM,),
        },
        period=300,
    ),
}
"""Every namespace whose metrics are asked for."""
