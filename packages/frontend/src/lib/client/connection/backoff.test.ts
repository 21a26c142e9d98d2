import { expect, it } from 'vitest'
import { backoffDelay } from './backoff'

const limits = { minMs: 1_000, maxMs: 5_000 }

it.each([
  [0, 1_000, 2_000],
  [1, 2_000, 4_000],
  [2, 2_500, 5_000],
  [9, 2_500, 5_000],
])('before attempt %i it waits between %i and %i ms', (attempt, least, most) => {
  expect(backoffDelay(attempt, limits, () => 0)).toBe(least)
  expect(backoffDelay(attempt, limits, () => 1)).toBe(most)
})

it('never leaves the limits, however odd they are', () => {
  const odd = { minMs: 4_000, maxMs: 5_000 }
  for (const chance of [0, 0.5, 1])
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const delay = backoffDelay(attempt, odd, () => chance)
      expect(delay).toBeGreaterThanOrEqual(4_000)
      expect(delay).toBeLessThanOrEqual(5_000)
    }
})
