import { createContext, type ReactNode, use, useEffect, useMemo } from 'react'
import type { Catalogue } from './en'
import { CATALOGUES, type Locale } from './locale'

export interface Text {
  t: Catalogue
  locale: Locale
}

const TextContext = createContext<Text>({ t: CATALOGUES.en, locale: 'en' })

/** Gives everything below the sentences of one language, and tells the document which it is. */
export function TextProvider({ locale, children }: { locale: Locale; children: ReactNode }) {
  const text = useMemo(() => ({ t: CATALOGUES[locale], locale }), [locale])
  useEffect(() => {
    document.documentElement.lang = locale
  }, [locale])
  return <TextContext value={text}>{children}</TextContext>
}

export function useText(): Text {
  return use(TextContext)
}
