import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { heard, isDoubtful, newLine, qualityOf, RULES } from './quality'

interface Fixture {
  numbers: typeof RULES
  cases: { name: string; trips: number[]; qualities: string[] }[]
}

// The examples that the server's tests read as well.
const FILE = new URL('../../../../../../protocol/fixtures/quality/cases.json', import.meta.url)
const { numbers, cases } = JSON.parse(readFileSync(FILE, 'utf8')) as Fixture

const lineAfter = (trips: number[]) => trips.reduce(heard, newLine)

describe('how good a line is', () => {
  it('is judged by the same numbers as on the server', () => {
    expect(RULES).toEqual(numbers)
  })

  it.each(cases)('$name', ({ trips, qualities }) => {
    let line = newLine
    const judged = trips.map((trip) => {
      line = heard(line, trip)
      return line.quality
    })
    expect(judged).toEqual(qualities)
  })

  it('is told with what it is judged by', () => {
    expect(qualityOf(newLine)).toEqual({ quality: 'good', loss: 0 })
    expect(qualityOf(lineAfter([100, 140, 5_000, 100]))).toEqual({
      quality: 'fair',
      rtt: 100,
      jitter: 0,
      loss: 0.25,
    })
  })

  it('is in doubt after a slow round trip, and until it is good again', () => {
    expect(isDoubtful(newLine)).toBe(false)
    expect(isDoubtful(lineAfter([50, 400]))).toBe(true)
    expect(isDoubtful(lineAfter([50, 400, 50]))).toBe(false)
    expect(isDoubtful(lineAfter([400, 400, 400, 50]))).toBe(true)
  })
})
