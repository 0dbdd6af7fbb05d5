import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { PythonSandbox } from "../../../../runtime/toolservers/code/python-sandbox.ts";
import { executePython } from "../../../../runtime/toolservers/code/python-tool.ts";
import { callTool, failureOf, textOf } from "../call-tool.ts";

describe("runtime/toolservers/code/execute_python", () => {
  const sandbox = new PythonSandbox();
  const tools = [executePython(sandbox)];
  const run = (code: string) => textOf(tools, "execute_python", { code });
  const fails = (code: string, timeout_seconds = 30) =>
    failureOf(tools, "execute_python", { code, timeout_seconds });

  it("runs real Python with its standard library", async () => {
    const code = [
      "import json, math, statistics, decimal, datetime, re, collections",
      "print(json.dumps({'sum': sum(range(101)), 'mean': statistics.mean([1, 2, 3.5])}))",
      "print(decimal.Decimal('0.1') * 3, math.comb(50, 5), datetime.date(2026, 11, 21).isoformat())",
    ].join("\n");
    assert.equal(
      await run(code),
      '{"sum": 5050, "mean": 2.1666666666666665}\n0.3 2118760 2026-11-21',
    );
  }).timeout(20_000);

  it("answers a failing program with the end of its traceback and what it printed before", async () => {
    const text = await fails("print('before')\n1 / 0");
    assert.match(text, /ZeroDivisionError: division by zero/);
    assert.match(text, /It had printed:\nbefore/);
  }).timeout(20_000);

  it("says so when nothing was printed", async () => {
    assert.match(await run("x = 1"), /without printing/);
  }).timeout(20_000);

  const ESCAPES = {
    "reads a file": "open('/etc/passwd').read()",
    "lists a folder": "import os; os.listdir('/')",
    "writes a file": "open('/tmp/x', 'w').write('x')",
    "opens a socket": "import socket; socket.socket().connect(('127.0.0.1', 80))",
    "starts a process": "import subprocess; subprocess.run(['id'])",
    "starts a shell": "import os; os.system('id')",
    "looks for credentials": "import os; os.environ['HOME']",
    "loads foreign code": "import ctypes; ctypes.CDLL('libc.so.6')",
    "reads its own interpreter": "import sys; open(sys.executable, 'rb').read()",
  } as const;
  for (const [name, code] of Object.entries(ESCAPES))
    it(`fails a program that ${name}`, async () => {
      assert.match(await fails(code), /Error|not supported|No such file/);
    }).timeout(20_000);

  it("ends a program at its time limit", async () => {
    assert.match(await fails("while True: pass", 1), /did not end within 1 s/);
  }).timeout(20_000);

  it("bounds memory", async () => {
    assert.match(await fails("x = [bytearray(10**6) for _ in range(2000)]"), /MemoryError|memory/);
  }).timeout(20_000);

  it("bounds what is printed", async () => {
    assert.match(await fails("while True: print('x' * 1000)"), /more than 1 MiB/);
  }).timeout(20_000);

  it("ends with its caller, running or waiting for a place", async () => {
    const caller = new AbortController();
    const reason = new Error("cancelled");
    const calls = Array.from({ length: 4 }, () =>
      callTool(tools, "execute_python", { code: "while True: pass" }, { signal: caller.signal }),
    );
    caller.abort(reason);
    for (const call of await Promise.allSettled(calls))
      assert.ok(call.status === "rejected" && call.reason === reason);
    assert.match(await run("print('free again')"), /free again/);
  }).timeout(20_000);
});
