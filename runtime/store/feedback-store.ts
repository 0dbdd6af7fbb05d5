/** What a user thinks of an answer (kagent's `/api/feedback`). */
export interface Feedback {
  readonly id: string;
  readonly user: string;
  /** The message it is about, as the user interface names it. */
  readonly messageId?: string;
  readonly positive: boolean;
  readonly text: string;
  /** What was wrong, in kagent's words: `instructions`, `factual`, `incomplete`, `tool`. */
  readonly issueType?: string;
  /** RFC 3339. */
  readonly createdAt: string;
}

/** Feedback, scoped by user. */
export interface FeedbackStore {
  /** @throws RangeError when the text is over 10,000 characters, or an id cannot be stored. */
  add(feedback: Omit<Feedback, "id" | "createdAt">): Promise<Feedback>;
  /** Newest first. `limit`: 1..1000. @throws RangeError for another one. */
  list(filter: { readonly user: string; readonly limit: number }): Promise<readonly Feedback[]>;
}
