#!/usr/bin/env python3
"""Let clients that know only TCP reach a server on a unix socket, byte for byte.

    relay.py SOCKET

Listens on a free port of 127.0.0.1 and prints it.
"""

import asyncio
import sys


async def pump(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.close()


async def relay(reader, writer):
    try:
        inner_reader, inner_writer = await asyncio.open_unix_connection(sys.argv[1])
    except OSError:
        writer.close()
        return
    answer = asyncio.create_task(pump(inner_reader, writer))
    question = asyncio.create_task(pump(reader, inner_writer))
    await answer
    question.cancel()
    inner_writer.close()
    writer.close()


async def main():
    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
