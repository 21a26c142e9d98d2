import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

const shared = {
  plugins: [react()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
}

/** What renders runs in jsdom, everything else in Node. */
export default defineConfig({
  test: {
    projects: [
      {
        ...shared,
        test: { name: 'rules', include: ['src/**/*.test.ts'], environment: 'node' },
      },
      {
        ...shared,
        test: { name: 'rendered', include: ['src/**/*.test.tsx'], environment: 'jsdom' },
      },
    ],
  },
})
