import { useCallback, useState } from 'react'
import { detectLocale, isLocale, type Locale } from '@/components/chat/i18n/locale'
import { readStored, STORED, writeStored } from '../storage'

function initialLocale(): Locale {
  const stored = readStored(STORED.locale)
  return isLocale(stored) ? stored : detectLocale(navigator.languages)
}

/** The page's language: the browser's until the person chooses one. */
export function useLocale(): [Locale, (locale: Locale) => void] {
  const [locale, setLocale] = useState(initialLocale)
  const choose = useCallback((next: Locale) => {
    writeStored(STORED.locale, next)
    setLocale(next)
  }, [])
  return [locale, choose]
}
