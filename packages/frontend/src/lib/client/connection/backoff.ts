export interface BackoffLimits {
  minMs: number
  maxMs: number
}

/**
 * How long to wait before attempt number `attempt` (0, 1, 2 …): doubling, and somewhere in the
 * upper half of each span, so that clients of a server that restarts don't come back as one.
 */
export function backoffDelay(attempt: number, limits: BackoffLimits, random: () => number): number {
  const span = Math.min(limits.maxMs, 2 * limits.minMs * 2 ** attempt)
  const delay = span / 2 + random() * (span / 2)
  return Math.round(Math.min(limits.maxMs, Math.max(limits.minMs, delay)))
}
