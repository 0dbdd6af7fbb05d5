/** A link by which others see a session. */
export interface Share {
  /** 256 random bits; whoever has them may see the session. */
  readonly token: string;
  readonly contextId: string;
  /** Owner of the session, who made the link. */
  readonly user: string;
  /** False: whoever has the token may also write in the session. */
  readonly readOnly: boolean;
  /** RFC 3339. */
  readonly createdAt: string;
}

/** Shares of sessions (kagent's `/api/sessions/{id}/shares`). They go with their session. */
export interface ShareStore {
  /** @throws UnknownIdError when the user has no such session. */
  create(share: Pick<Share, "contextId" | "user" | "readOnly">): Promise<Share>;
  /** Newest first, at most 100. */
  list(contextId: string, user: string): Promise<readonly Share[]>;
  /** The share of a token, for whoever shows it; `undefined` when there is none. */
  find(token: string): Promise<Share | undefined>;
  /** @returns Whether the session of that user had one. */
  delete(share: Pick<Share, "token" | "contextId" | "user">): Promise<boolean>;
}
