#!/usr/bin/python3
"""A machine tracker of pika and Redis: the peer of bench/machines_bench.

Usage: machines_peer.py each|batch BROKER_PORT REDIS_PORT QUEUE MESSAGES

each: as the original: one message, three writes in a pipeline, one acknowledgement.
batch: the same with 500 messages in one pipeline and one acknowledgement.
Both write the time of the event, the status and the task. Prints messages per second.
"""
import json
import sys
import time

import pika
import redis

BATCH = 500


def facts(body):
    """Returns machine, time, status and task of a message, or None."""
    what = json.loads(body)
    if "status" not in what or "runId" not in what:
        return None
    run = what["status"]["runs"][what["runId"]]
    group = what.get("workerGroup") or run.get("workerGroup")
    worker = what.get("workerId") or run.get("workerId")
    if not group or not worker:
        return None
    status = run["state"] + "_" + run.get("reasonResolved", "unresolved")
    return group + ":" + worker, run.get("resolved") or run["started"], status, what["status"]["taskId"]


def write(pipeline, known):
    machine, seen, status, task = known
    pipeline.hset("machines", machine, seen)
    pipeline.hset("machines-last-status", machine, status)
    pipeline.hset("machines-last-taskid", machine, task)


def main():
    mode, broker, store, queue, messages = sys.argv[1:6]
    messages = int(messages)
    base = redis.Redis(port=int(store))
    connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", int(broker)))
    channel = connection.channel()
    channel.basic_qos(prefetch_count=1000)
    at_once = BATCH if mode == "batch" else 1
    begin = time.monotonic()
    pipeline = base.pipeline(transaction=False)
    taken = 0
    for method, _, body in channel.consume(queue):
        taken += 1
        known = facts(body)
        if known:
            write(pipeline, known)
        if taken % at_once == 0 or taken == messages:
            pipeline.execute()
            channel.basic_ack(method.delivery_tag, multiple=True)
        if taken == messages:
            break
    took = time.monotonic() - begin
    channel.cancel()
    connection.close()
    print(messages / took)


main()
