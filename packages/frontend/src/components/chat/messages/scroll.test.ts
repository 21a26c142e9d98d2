import { describe, expect, test } from 'vitest'
import { type Box, follows, isAtBottom, keepPlace, wantsOlder } from './scroll'

const box = (scrollTop: number, scrollHeight = 2000, clientHeight = 500): Box => ({
  scrollTop,
  scrollHeight,
  clientHeight,
})

describe('the scroll rules', () => {
  test('near the bottom is at the bottom', () => {
    expect(isAtBottom(box(1500))).toBe(true)
    expect(isAtBottom(box(1452))).toBe(true)
    expect(isAtBottom(box(1451))).toBe(false)
    expect(isAtBottom(box(0, 300, 500))).toBe(true)
  })

  test('a move upwards lets go', () => {
    expect(follows(true, box(1500), box(1300))).toBe(false)
  })

  test('a small move upwards does not', () => {
    expect(follows(true, box(1500), box(1480))).toBe(true)
  })

  test('text that grows faster than the view moves does not let go', () => {
    expect(follows(true, box(1500), box(1500, 2300))).toBe(true)
    expect(follows(true, box(1500), box(1600, 2300))).toBe(true)
  })

  test('one who reads further up is left there until at the bottom again', () => {
    expect(follows(false, box(800), box(900))).toBe(false)
    expect(follows(false, box(900), box(1490))).toBe(true)
  })

  test('what is seen stays where it is when rows come above', () => {
    expect(keepPlace(120, 700)).toBe(820)
    expect(keepPlace(20, -50)).toBe(0)
  })

  test('older messages are asked for before the top is reached', () => {
    expect(wantsOlder(box(400))).toBe(true)
    expect(wantsOlder(box(401))).toBe(false)
  })
})
