/** A JSON-RPC error outside any request, as the transport of the SDK words them. */
export function rpcError(
  status: number,
  code: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return Response.json({ jsonrpc: "2.0", error: { code, message }, id: null }, { status, headers });
}

/** `response` with `onEnd` called once, when its body was sent, or its reader went away. */
export function whenSent(response: Response, onEnd: (how: "sent" | "left") => void): Response {
  if (response.body === null) {
    onEnd("sent");
    return response;
  }
  const stream: ReadableStream<Uint8Array> = response.body;
  const reader = stream.getReader();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (!done) {
            controller.enqueue(value);
            return;
          }
          controller.close();
          onEnd("sent");
        } catch (error) {
          onEnd("left");
          throw error;
        }
      },
      async cancel(reason) {
        onEnd("left");
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { status: response.status, headers: response.headers });
}
