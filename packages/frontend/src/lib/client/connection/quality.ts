/**
 * Every rule about how good a line is stands in this file; the server judges by the same one, and both
 * are held against protocol/fixtures/quality/cases.json. It knows no socket and no clock.
 */
import { ACK_TIMEOUT_MS, type Quality } from '../../types/socket'

/** How good the line to the server is, and by what that is judged. */
export interface LineQuality {
  readonly quality: Quality
  /** The usual round trip, in milliseconds, once one is known. */
  readonly rtt?: number | undefined
  /** How far others usually are from it, in milliseconds. */
  readonly jitter?: number | undefined
  /** How many of the last round trips were lost: 0 to 1. */
  readonly loss: number
}

export const RULES = {
  /** So many round trips are looked at. */
  window: 8,
  /** With fewer, only those that are lost count: the first may be slow for many reasons. */
  enough: 3,
  /** A line must be better for so many round trips in a row before it counts as better. */
  steady: 3,
  /** Better than before is what is below this part of a limit. */
  margin: 0.75,
  /** What took so long, or is not back at all, is lost. */
  lostMs: ACK_TIMEOUT_MS,
  fair: { rtt: 300, jitter: 150, lost: 1 },
  poor: { rtt: 1_000, jitter: 500, lost: 2 },
} as const

const ORDER: readonly Quality[] = ['good', 'fair', 'poor']

/** What is known of a line. */
export interface Line {
  readonly trips: readonly number[]
  readonly quality: Quality
  /** For how many round trips it has been better. */
  readonly better: number
}

export const newLine: Line = { trips: [], quality: 'good', better: 0 }

/** Counts in a round trip of so many milliseconds. */
export function heard(line: Line, trip: number): Line {
  const trips = [...line.trips, trip].slice(-RULES.window)
  const rank = ORDER.indexOf(line.quality)
  const worst = verdict(trips, 1)
  const best = verdict(trips, RULES.margin)
  if (ORDER.indexOf(worst) > rank) return { trips, quality: worst, better: 0 }
  if (ORDER.indexOf(best) >= rank) return { trips, quality: line.quality, better: 0 }
  const better = line.better + 1
  return better >= RULES.steady
    ? { trips, quality: best, better: 0 }
    : { trips, quality: line.quality, better }
}

/** Whether the next round trip should be measured soon: it is not good, or may not be any more. */
export function isDoubtful({ trips, quality }: Line): boolean {
  const last = trips.at(-1)
  return quality !== 'good' || (last !== undefined && last >= RULES.fair.rtt)
}

export function qualityOf({ trips, quality }: Line): LineQuality {
  const { rtt, jitter, lost } = measure(trips)
  return {
    quality,
    rtt: rtt === undefined ? undefined : Math.round(rtt),
    jitter: jitter === undefined ? undefined : Math.round(jitter),
    loss: trips.length === 0 ? 0 : lost / trips.length,
  }
}

/** The same object while nothing has changed. */
export function sameLine(before: LineQuality, next: LineQuality): LineQuality {
  const isSame =
    before.quality === next.quality &&
    before.rtt === next.rtt &&
    before.jitter === next.jitter &&
    before.loss === next.loss
  return isSame ? before : next
}

function verdict(trips: readonly number[], margin: number): Quality {
  const { rtt = 0, jitter = 0, lost } = measure(trips)
  const isKnown = trips.length >= RULES.enough
  const reaches = (bounds: { rtt: number; jitter: number; lost: number }) =>
    lost >= bounds.lost ||
    (isKnown && (rtt >= bounds.rtt * margin || jitter >= bounds.jitter * margin))
  if (reaches(RULES.poor)) return 'poor'
  return reaches(RULES.fair) ? 'fair' : 'good'
}

function measure(trips: readonly number[]) {
  const back = trips.filter((trip) => trip < RULES.lostMs)
  const rtt = middle(back)
  const jitter = middle(back.map((trip) => Math.abs(trip - (rtt ?? trip))))
  return { rtt, jitter, lost: trips.length - back.length }
}

/** The median; of two in the middle the higher one. */
function middle(values: readonly number[]): number | undefined {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)]
}
