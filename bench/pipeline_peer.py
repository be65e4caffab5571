#!/usr/bin/python3
"""The object pipeline as four small programs with pika and SQLite: the peer of bench/pipeline_bench.

Usage: pipeline_peer.py PORT OBJECTS [classic|quorum]

A generator publishes objects, a distributor makes three tasks of each, a processor says that it starts and
ends each one, a counter writes all events into SQLite. Durable queues, persistent messages, confirms, and
each message is acknowledged when its effect is safe. Prints objects per second.
"""
import json
import multiprocessing
import os
import sqlite3
import sys
import tempfile
import time
import uuid

import pika

EXCHANGE = "pipeline_peer"
QUEUES = {
    "peer_distributor": ["objects"],
    "peer_processor": ["task-requests"],
    "peer_counter": ["objects", "task-requests", "processing"],
}
PERSISTENT = pika.BasicProperties(delivery_mode=2, content_type="application/json")
BATCH = 100


def open_channel(port, prefetch=0):
    connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", port))
    channel = connection.channel()
    channel.confirm_delivery()
    if prefetch:
        channel.basic_qos(prefetch_count=prefetch)
    return channel


def publish(channel, key, body):
    """Returns when the broker has confirmed."""
    channel.basic_publish(EXCHANGE, key, json.dumps(body), PERSISTENT, mandatory=True)


def generate(port, objects):
    channel = open_channel(port)
    for number in range(objects):
        publish(channel, "objects", {"id": number, "name": "lorem", "content": "ipsum dolor sit"})


def distribute(port):
    channel = open_channel(port, BATCH)
    for method, _, body in channel.consume("peer_distributor"):
        what = json.loads(body)
        for index in range(3):
            publish(channel, "task-requests", {"id": uuid.uuid4().hex, "object": what, "index": index})
        channel.basic_ack(method.delivery_tag)


def process(port):
    channel = open_channel(port, BATCH)
    name = uuid.uuid4().hex
    for method, _, body in channel.consume("peer_processor"):
        task = json.loads(body)["id"]
        publish(channel, "processing", {"type": "START_PROCESSING", "target": task, "processor": name})
        publish(channel, "processing",
                {"type": "END_PROCESSING", "target": task, "processor": name, "spend": 0})
        channel.basic_ack(method.delivery_tag)


def count(port, objects, folder, done):
    """One transaction and one acknowledgement for up to BATCH messages."""
    base = sqlite3.connect(os.path.join(folder, "stats.db"))
    base.execute("create table events(key text, type text, target text)")
    base.commit()
    channel = open_channel(port, BATCH)
    rows, ended, last = [], 0, None
    for method, _, body in channel.consume("peer_counter", inactivity_timeout=0.02):
        if method is not None:
            what = json.loads(body)
            rows.append((method.routing_key, what.get("type"), str(what.get("target", what.get("id")))))
            ended += what.get("type") == "END_PROCESSING"
            last = method.delivery_tag
        if rows and (len(rows) >= BATCH or method is None):
            base.executemany("insert into events values (?, ?, ?)", rows)
            base.commit()
            channel.basic_ack(last, multiple=True)
            rows = []
            if ended == 3 * objects:
                break
    done.set()


def main():
    port, objects = int(sys.argv[1]), int(sys.argv[2])
    kind = sys.argv[3] if len(sys.argv) > 3 else "classic"
    channel = open_channel(port)
    channel.exchange_declare(EXCHANGE, "topic", durable=True)
    for queue, keys in QUEUES.items():
        channel.queue_declare(queue, durable=True, arguments={"x-queue-type": kind})
        for key in keys:
            channel.queue_bind(queue, EXCHANGE, key)
    with tempfile.TemporaryDirectory() as folder:
        done = multiprocessing.Event()
        workers = [
            multiprocessing.Process(target=count, args=(port, objects, folder, done)),
            multiprocessing.Process(target=distribute, args=(port,)),
            multiprocessing.Process(target=process, args=(port,)),
        ]
        for worker in workers:
            worker.daemon = True
            worker.start()
        begin = time.monotonic()
        generate(port, objects)
        if not done.wait(600):
            sys.exit("the events were not counted within ten minutes")
        took = time.monotonic() - begin
        for worker in workers:
            worker.terminate()
            worker.join()
    for queue in QUEUES:
        channel.queue_delete(queue)
    channel.exchange_delete(EXCHANGE)
    print(objects / took)


if __name__ == "__main__":
    main()
