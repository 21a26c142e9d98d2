import type { Locale } from '../i18n/locale'

export function clockTime(timestamp: string, locale: Locale): string {
  return new Date(timestamp).toLocaleTimeString(locale, { hour: 'numeric', minute: '2-digit' })
}

export function fullTime(timestamp: string, locale: Locale): string {
  return new Date(timestamp).toLocaleString(locale, { dateStyle: 'full', timeStyle: 'short' })
}

export type Day = { kind: 'today' } | { kind: 'yesterday' } | { kind: 'date'; text: string }

/** How a day is called, seen from `now`. */
export function dayName(timestamp: string, now: Date, locale: Locale): Day {
  const date = new Date(timestamp)
  if (date.toDateString() === now.toDateString()) return { kind: 'today' }
  const dayBefore = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1)
  if (date.toDateString() === dayBefore.toDateString()) return { kind: 'yesterday' }
  const sameYear = date.getFullYear() === now.getFullYear()
  const text = date.toLocaleDateString(locale, {
    ...(sameYear ? {} : { year: 'numeric' }),
    month: 'long',
    day: 'numeric',
    weekday: 'long',
  })
  return { kind: 'date', text }
}

/** As short as a list of chats needs it: the time today, the date before. */
export function shortTime(timestamp: string, now: Date, locale: Locale): string {
  const date = new Date(timestamp)
  if (date.toDateString() === now.toDateString()) return clockTime(timestamp, locale)
  const sameYear = date.getFullYear() === now.getFullYear()
  return date.toLocaleDateString(locale, {
    ...(sameYear ? {} : { year: '2-digit' }),
    month: 'numeric',
    day: 'numeric',
  })
}
