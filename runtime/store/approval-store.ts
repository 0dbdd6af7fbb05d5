import type { ObjectRef } from "../api/names.ts";

/** A call that waits, or waited, for a person: the audit's row, a projection of the approval events. */
export interface ApprovalRecord {
  readonly callId: string;
  readonly taskId: string;
  readonly contextId: string;
  readonly agent: ObjectRef;
  /** Owner of the task. */
  readonly user: string;
  /** Tool as the model named it. */
  readonly tool: string;
  /** `approval` or `question`. */
  readonly kind: "approval" | "question";
  readonly state: "pending" | "approve" | "reject" | "answer";
  /** Sha-256 (hex) of the arguments: asked for while pending, decided on afterwards. */
  readonly argsHash: string;
  /**
   * Who decided; `system:expiry` when nobody did in time, `system:over` when the task ended or its session was
   * deleted before.
   */
  readonly approver?: string;
  readonly reason?: string;
  /** RFC 3339. */
  readonly requestedAt: string;
  /** RFC 3339. */
  readonly expiresAt?: string;
  /** RFC 3339. */
  readonly decidedAt?: string;
}

/**
 * The approvals of all sessions.
 *
 * Written by `SessionStore.append` in the transaction of the events themselves; nothing else writes. A record
 * outlives its session: an audit that its subject can delete is none.
 */
export interface ApprovalStore {
  /** Newest request first. `user`: of this owner only; absent for operators and the expiry. */
  list(filter: {
    readonly user?: string;
    readonly taskId?: string;
    readonly state?: ApprovalRecord["state"];
    /** Only what expired at or before this time (RFC 3339). */
    readonly expiredAt?: string;
    /** 1..1000. */
    readonly limit: number;
  }): Promise<readonly ApprovalRecord[]>;
}
