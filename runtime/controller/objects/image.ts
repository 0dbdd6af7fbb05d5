/**
 * An image taken from another registry: `imageRegistry` of an Agent.
 *
 * @example
 * withRegistry("cr.kagent.dev/kagent-dev/worker:1", "mirror.local/proxy"); // "mirror.local/proxy/kagent-dev/worker:1"
 */
export function withRegistry(image: string, registry: string | undefined): string {
  if (registry === undefined || registry === "") return image;
  const [first = "", ...rest] = image.split("/");
  // As the container tools tell a registry from the first part of a path.
  const isRegistry = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  return `${registry}/${isRegistry ? rest.join("/") : image}`;
}
