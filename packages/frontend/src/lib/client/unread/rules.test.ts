import { describe, expect, it } from 'vitest'
import { pick, seeded } from '../testing/random'
import { arrived, count, listed, nothingUnread, read, UNREAD_MAX, type Unread } from './rules'

const knownAfter = (...steps: ((known: Unread) => Unread)[]) =>
  steps.reduce((known, step) => step(known), nothingUnread)
const list = (unread: number, lastSeq: number, readSeq: number) => (known: Unread) =>
  listed(known, { unread, lastSeq, readSeq })
const come = (seq: number) => (known: Unread) => arrived(known, seq)
const mark = (seq: number) => (known: Unread) => read(known, seq)

describe('what is unread', () => {
  it('is what the list says and what came after it', () => {
    expect(count(knownAfter(list(3, 10, 7), come(11), come(12)))).toBe(5)
  })

  it('counts nothing twice', () => {
    expect(count(knownAfter(come(11), list(4, 11, 7), come(11), come(10)))).toBe(4)
  })

  it('is gone as far as it was read, on whichever device', () => {
    const known = knownAfter(list(3, 10, 7), come(11), come(12))
    expect(count(read(known, 12))).toBe(0)
    expect(count(read(known, 11))).toBe(1)
    expect(count(read(known, 9))).toBe(3)
  })

  it('takes nothing back for a list that is late', () => {
    expect(count(knownAfter(list(0, 12, 12), list(3, 10, 7)))).toBe(0)
    expect(count(knownAfter(mark(10), list(3, 10, 7), come(11)))).toBe(1)
  })

  it('is bounded', () => {
    const many = Array.from({ length: 500 }, (_, at) => come(at + 1))
    const known = knownAfter(...many)
    expect(count(known)).toBe(UNREAD_MAX)
    expect(known.later).toHaveLength(UNREAD_MAX)
  })
})

/** A room that a person reads, and what can become known of it, in any order and any number of times. */
class Truth {
  readonly #random: () => number
  readonly #isOwn: boolean[] = []
  #readSeq = 0

  constructor(random: () => number) {
    this.#random = random
  }

  get unread(): number {
    return this.#isOwn.slice(this.#readSeq).filter((isOwn) => !isOwn).length
  }

  get listed(): (known: Unread) => Unread {
    return list(this.unread, this.#isOwn.length, this.#readSeq)
  }

  get readTo(): number {
    return this.#readSeq
  }

  /** Something happens; what is told of it. */
  step(): ((known: Unread) => Unread) | null {
    switch (pick(this.#random, ['message', 'own', 'read', 'list'] as const)) {
      case 'message':
        return come(this.#isOwn.push(false))
      case 'own':
        this.#isOwn.push(true)
        return null
      case 'read':
        this.#readSeq += Math.floor(this.#random() * (this.#isOwn.length - this.#readSeq + 1))
        return mark(this.#readSeq)
      case 'list':
        return this.listed
    }
  }
}

describe('whatever the order in which it becomes known', () => {
  it.each(Array.from({ length: 200 }, (_, seed) => seed))('it converges, seed %i', (seed) => {
    const random = seeded(seed)
    const truth = new Truth(random)
    const news: ((known: Unread) => Unread)[] = []
    let known = nothingUnread
    const hear = (next: (known: Unread) => Unread) => {
      const before = known
      known = next(known)
      expect(count(known)).toBeGreaterThanOrEqual(0)
      expect(known.readTo).toBeGreaterThanOrEqual(before.readTo)
    }
    for (let step = 0; step < 80; step += 1) {
      const told = truth.step()
      if (told) news.push(told)
      // Some of it arrives now: late, early, and now and then twice.
      const place = Math.floor(random() * news.length * 2)
      const next = news[place]
      if (next) hear(next)
      if (random() < 0.8) news.splice(place, 1)
    }
    for (const next of news) hear(next)
    hear(truth.listed)
    expect(count(known)).toBe(truth.unread)
    expect(known.readTo).toBe(truth.readTo)
  })
})
