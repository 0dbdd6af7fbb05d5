/** Tool that gives back what a prompt leaves out of a result. */
export const READ_TOOL_RESULT = "read_tool_result";

/** What a marker in a shortened result says about the rest. */
export function rest(callId: string): string {
  return `${READ_TOOL_RESULT} with call_id "${callId}" gives them`;
}
