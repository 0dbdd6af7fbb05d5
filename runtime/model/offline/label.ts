/** How the offline model calls itself. */
export const OFFLINE_LABEL = "offline (stand-in, no language model)";

/** Last line of every answer in prose. */
export const LABEL_LINE = `_${OFFLINE_LABEL}: written by fixed rules from the answers of the tools alone._`;
