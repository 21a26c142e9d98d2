import { useId } from 'react'
import { LOCALE_NAMES, LOCALES, type Locale } from '@/components/chat/i18n/locale'
import { useText } from '@/components/chat/i18n/TextContext'
import { THEMES, type Theme } from '../state/useTheme'

export interface PreferencesProps {
  locale: Locale
  onLocale: (locale: Locale) => void
  theme: Theme
  onTheme: (theme: Theme) => void
}

/** Language and appearance. */
export function Preferences({ locale, onLocale, theme, onTheme }: PreferencesProps) {
  const { t } = useText()
  const themeNames = { system: t.themeSystem, light: t.themeLight, dark: t.themeDark }
  return (
    <div className="flex flex-wrap gap-2">
      <Choice
        label={t.language}
        value={locale}
        options={LOCALES.map((each) => [each, LOCALE_NAMES[each]])}
        onChange={onLocale}
      />
      <Choice
        label={t.theme}
        value={theme}
        options={THEMES.map((each) => [each, themeNames[each]])}
        onChange={onTheme}
      />
    </div>
  )
}

/** One of several. */
export function Choice<T extends string>(props: {
  label: string
  value: T
  options: readonly (readonly [T, string])[]
  onChange: (value: T) => void
}) {
  const id = useId()
  return (
    <div>
      <label htmlFor={id} className="mb-0.5 block text-muted text-sm">
        {props.label}
      </label>
      <select
        id={id}
        className="select"
        value={props.value}
        onChange={(event) => {
          const chosen = props.options.find(([value]) => value === event.target.value)
          if (chosen) props.onChange(chosen[0])
        }}
      >
        {props.options.map(([value, name]) => (
          <option key={value} value={value} lang={value === 'ko' ? 'ko' : undefined}>
            {name}
          </option>
        ))}
      </select>
    </div>
  )
}
