/** A text about something that is over, e.g. an incident; for everybody who may see the platform. */
export interface Report {
  readonly id: string;
  /** What it is about, e.g. `incident`. */
  readonly kind: string;
  readonly title: string;
  readonly markdown: string;
  /** Id of the incident that it is about. */
  readonly incident?: string;
  /** RFC 3339; when it was first saved. */
  readonly createdAt: string;
}

/** Reports; they belong to the platform, not to a user. */
export interface ReportStore {
  /**
   * Keeps a report in the place of the one with its id, if there is one.
   *
   * @throws RangeError when an id, the kind, the title (500 characters) or the text (1,000,000) cannot be stored.
   */
  save(report: Omit<Report, "createdAt">): Promise<Report>;
  get(id: string): Promise<Report | undefined>;
  /** Newest first, without their texts. `limit`: 1..100. @throws RangeError for another one. */
  list(filter: {
    readonly kind?: string;
    readonly incident?: string;
    readonly limit: number;
  }): Promise<readonly Omit<Report, "markdown">[]>;
}
