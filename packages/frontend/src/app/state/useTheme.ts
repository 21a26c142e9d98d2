import { useEffect, useState } from 'react'
import { readStored, STORED, writeStored } from '../storage'

export const THEMES = ['system', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

function isTheme(value: unknown): value is Theme {
  return THEMES.includes(value as Theme)
}

function storedTheme(): Theme {
  const stored = readStored(STORED.theme)
  return isTheme(stored) ? stored : 'system'
}

/** Light or dark: the system's choice until the person makes one. */
export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState(storedTheme)
  useEffect(() => {
    const root = document.documentElement
    if (theme === 'system') root.removeAttribute('data-theme')
    else root.setAttribute('data-theme', theme)
    writeStored(STORED.theme, theme === 'system' ? null : theme)
  }, [theme])
  return [theme, setTheme]
}
