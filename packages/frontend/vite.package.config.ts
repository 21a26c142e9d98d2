import { defineConfig } from 'vite'

/** The npm package: ES modules; what it depends on stays outside. */
export default defineConfig({
  publicDir: false,
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    sourcemap: true,
    minify: false,
    lib: {
      entry: { index: 'src/index.ts', client: 'src/lib/client/index.ts' },
      formats: ['es'],
    },
    rolldownOptions: {
      external: [/^react($|\/)/, /^socket\.io-client($|\/)/, /^idb$/],
    },
  },
})
