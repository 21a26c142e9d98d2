import { type Catalogue, en } from './en'
import { ko } from './ko'

export const LOCALES = ['en', 'ko'] as const
export type Locale = (typeof LOCALES)[number]

export const CATALOGUES: Record<Locale, Catalogue> = { en, ko }

/** Each language under the name its own readers know it by. */
export const LOCALE_NAMES: Record<Locale, string> = { en: 'English', ko: '한국어' }

export function isLocale(value: unknown): value is Locale {
  return LOCALES.includes(value as Locale)
}

/** The first of the person's languages that the page speaks. */
export function detectLocale(languages: readonly string[]): Locale {
  for (const tag of languages) {
    const language = tag.toLowerCase().split('-')[0]
    if (isLocale(language)) return language
  }
  return 'en'
}
