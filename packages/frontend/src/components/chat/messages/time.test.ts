import { describe, expect, test } from 'vitest'
import { dayName, shortTime } from './time'

const now = new Date(2026, 0, 1, 9, 30)
const at = (...parts: [number, number, number, number]) => new Date(...parts).toISOString()

describe('the name of a day', () => {
  test.each([
    ['today, early', at(2026, 0, 1, 0), { kind: 'today' }],
    ['yesterday, over the turn of the year', at(2025, 11, 31, 23), { kind: 'yesterday' }],
    ['a day before', at(2025, 11, 30, 23), { kind: 'date', text: 'Tuesday, December 30, 2025' }],
  ])('%s', (_, timestamp, day) => {
    expect(dayName(timestamp, now, 'en')).toEqual(day)
  })

  test('in Korean', () => {
    expect(dayName(at(2026, 2, 2, 12), new Date(2026, 4, 1), 'ko')).toEqual({
      kind: 'date',
      text: '3월 2일 월요일',
    })
  })
})

test('a list shows the time of today and the date of other days', () => {
  expect(shortTime(at(2026, 0, 1, 8), now, 'en')).toBe('8:00 AM')
  expect(shortTime(at(2025, 11, 30, 8), now, 'en')).toBe('12/30/25')
})
